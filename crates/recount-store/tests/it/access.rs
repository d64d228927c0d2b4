//! Credentials, and what people keep: the same on both catalogs.

use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt as _;
use recount_event::Filter;
use recount_store::access::{
    AccessError, Actor, AuthError, CreatedKey, Credential, ExportOutcome, ExportState, NewExport, NewKey,
    NewSession, SavedViewDraft, Scope,
};
use recount_store::{Order, Store};
use serde_json::Map;

use crate::support::{DAY, Place, SECOND, accepted, events, on_both_catalogs, tenant};

on_both_catalogs! {
    keys_are_listed_in_pages_and_stop_when_revoked,
    nobody_revokes_a_key_that_can_do_more,
    tenants_are_listed_in_the_order_of_their_bytes,
    a_session_begins_once_goes_on_and_ends,
    saved_views_are_private_or_shared,
    an_export_is_made_by_one_node_and_is_gone_when_its_time_is_over,
}

const OPERATOR: &str = "operator-key-of-the-tests-32-characters";

async fn operator(store: &Store) -> Credential {
    store.ensure_operator_key(Some(OPERATOR)).await.expect("installed");
    store.authenticate(OPERATOR).await.expect("known")
}

async fn key(store: &Store, by: &Credential, of: Option<&str>, scopes: &[Scope]) -> CreatedKey {
    let new = NewKey {
        name: "a key".to_owned(),
        tenant: of.map(tenant),
        scopes: scopes.iter().copied().collect(),
        expires_at: None,
    };
    store.create_key(by, new).await.expect("made")
}

async fn keys_are_listed_in_pages_and_stop_when_revoked(place: Place) {
    let store = place.open().await;
    let operator = operator(&store).await;
    let acme = tenant("acme");
    let mut made = Vec::new();
    for n in 0..7 {
        // Some in the same microsecond: the id decides.
        place.clock.advance_micros(i64::from(n % 2) * SECOND);
        made.push(key(&store, &operator, Some("acme"), &[Scope::EventsRead]).await);
    }
    key(&store, &operator, Some("other"), &[Scope::EventsRead]).await;
    let mut seen = Vec::new();
    loop {
        let last = seen.last().map(|key: &recount_store::access::KeyInfo| (key.created_at, key.id.as_str()));
        let page = store.list_keys(&operator, Some(&acme), last, true, 3).await.expect("listed");
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    let mut ids: Vec<&str> = seen.iter().map(|key| key.id.as_str()).collect();
    let mut expected: Vec<&str> = made.iter().map(|made| made.info.id.as_str()).collect();
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected);

    let used = store.authenticate(&made[0].text.text).await.expect("it works");
    assert_eq!(used.tenant(), Some(&acme));
    store.revoke_key(&operator, &made[0].info.id).await.expect("revoked");
    let refused = store.authenticate(&made[0].text.text).await;
    assert!(matches!(refused, Err(AuthError::Refused)), "{refused:?}");
    assert!(store.key(&operator, &made[0].info.id).await.expect("listed").revoked_at.is_some());
    store.shutdown().await;
}

async fn nobody_revokes_a_key_that_can_do_more(place: Place) {
    let store = place.open().await;
    let operator = operator(&store).await;
    let ingest = key(&store, &operator, Some("acme"), &[Scope::EventsWrite]).await.info.id;
    let reader = key(&store, &operator, Some("acme"), &[Scope::EventsRead]).await.info.id;
    let others = key(&store, &operator, Some("other"), &[Scope::EventsRead]).await.info.id;
    let manager = key(&store, &operator, Some("acme"), &[Scope::KeysManage, Scope::EventsRead]).await;
    let manager = store.authenticate(&manager.text.text).await.expect("known");
    let refused = store.revoke_key(&manager, &ingest).await;
    assert!(matches!(refused, Err(AccessError::ExceedsCreator { .. })), "{refused:?}");
    let refused = store.revoke_key(&manager, &others).await;
    assert!(matches!(refused, Err(AccessError::NotFound)), "{refused:?}");
    store.revoke_key(&manager, &reader).await.expect("it can do no more than its revoker");

    // A tool of the vendor's that manages keys stops any tenant's, but none of the vendor's own.
    let tool = key(&store, &operator, None, &[Scope::KeysManage]).await;
    let tool = store.authenticate(&tool.text.text).await.expect("known");
    store.revoke_key(&tool, &ingest).await.expect("a tenant's key");
    let refused = store.revoke_key(&tool, operator.id()).await;
    assert!(matches!(refused, Err(AccessError::ExceedsCreator { .. })), "{refused:?}");
    store.shutdown().await;
}

async fn tenants_are_listed_in_the_order_of_their_bytes(place: Place) {
    let store = place.open().await;
    let operator = operator(&store).await;
    let mut names = ["b", "B", "a", "A", "_", "a-1", "a_1", "a.1", "a1", "A1", "~", "10", "9"].map(tenant);
    for name in &names {
        store.add_tenant(&operator, name).await.expect("made");
    }
    names.sort();
    let mut seen = Vec::new();
    loop {
        let page = store.list_tenants(&operator, seen.last(), 2).await.expect("listed");
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|summary| summary.tenant));
    }
    assert_eq!(seen, names);
    store.shutdown().await;
}

fn person(id: &str) -> Actor {
    Actor { kind: "user".to_owned(), id: id.to_owned(), name: None, email: None }
}

fn session_of(id: &str) -> NewSession {
    NewSession {
        tenant: Some(tenant("acme")),
        tenant_name: None,
        actor: person(id),
        scopes: [Scope::EventsRead].into_iter().collect(),
        ttl: Duration::from_secs(900),
        origins: Vec::new(),
        locale: None,
        return_url: None,
    }
}

async fn a_session_begins_once_goes_on_and_ends(place: Place) {
    let store = place.open().await;
    let operator = operator(&store).await;
    let made = store.create_portal_session(&operator, session_of("ada")).await.expect("made");
    let token = store.exchange_link_code(&made.code.text).await.expect("the first time");
    let again = store.exchange_link_code(&made.code.text).await;
    assert!(matches!(again, Err(AccessError::LinkUsedOrExpired)), "{again:?}");
    let credential = store.authenticate(&token.text.text).await.expect("it works");
    assert_eq!(credential.actor(), person("ada"));
    place.clock.advance_micros(600 * SECOND);
    let next = store.refresh_portal_session(&credential).await.expect("a further token");
    assert!(next.expires_at > token.expires_at);
    store.revoke_portal_session(&operator, &made.id).await.expect("ended");
    for ended in [&token, &next, &made.token] {
        let refused = store.authenticate(&ended.text.text).await;
        assert!(matches!(refused, Err(AuthError::Refused)), "{refused:?}");
    }
    place.clock.advance_micros(DAY);
    assert!(store.remove_ended_portal_sessions().await.expect("removed") > 0);
    store.shutdown().await;
}

fn draft(name: &str, shared: bool) -> SavedViewDraft {
    SavedViewDraft { name: name.to_owned(), shared, is_default: true, view: Map::new() }
}

async fn saved_views_are_private_or_shared(place: Place) {
    let store = place.open().await;
    let operator = operator(&store).await;
    let mut people = Vec::new();
    for id in ["ada", "bob"] {
        let made = store.create_portal_session(&operator, session_of(id)).await.expect("made");
        people.push(store.authenticate(&made.token.text.text).await.expect("known"));
    }
    let [ada, bob] = people.try_into().expect("two");
    let log = ada.tenant_log(&store, None, Scope::EventsRead).await.expect("hers");
    let private = store.create_saved_view(&log, &ada, draft("b", false)).await.expect("made");
    let shared = store.create_saved_view(&log, &ada, draft("Z", true)).await.expect("made");
    let names = |views: Vec<recount_store::access::SavedView>| -> Vec<String> {
        views.into_iter().map(|view| view.name).collect()
    };
    assert_eq!(names(store.saved_views(&log, &ada).await.expect("listed")), ["Z", "b"]);
    assert_eq!(names(store.saved_views(&log, &bob).await.expect("listed")), ["Z"]);
    let refused = store.saved_view(&log, &bob, &private.id).await;
    assert!(matches!(refused, Err(AccessError::NotFound)), "{refused:?}");
    let refused = store.replace_saved_view(&log, &bob, &shared.id, draft("mine", true)).await;
    assert!(matches!(refused, Err(AccessError::WrongState { .. })), "{refused:?}");
    let renamed = store.replace_saved_view(&log, &ada, &shared.id, draft("a", true)).await.expect("changed");
    assert_eq!((renamed.name.as_str(), renamed.is_default), ("a", true));
    let seen = store.saved_view(&log, &bob, &shared.id).await.expect("shared");
    assert_eq!((seen.name.as_str(), seen.owned, seen.is_default), ("a", false, false));
    store.delete_saved_view(&log, &ada, &shared.id).await.expect("removed");
    assert!(store.saved_views(&log, &bob).await.expect("listed").is_empty());
    store.shutdown().await;
}

async fn an_export_is_made_by_one_node_and_is_gone_when_its_time_is_over(place: Place) {
    let store = place.open().await;
    let operator = operator(&store).await;
    let acme = tenant("acme");
    accepted(&store, events(&acme, "a", 0..5)).await;
    let log = operator.tenant_log(&store, Some(&acme), Scope::ExportsWrite).await.expect("may");
    let mut made = Vec::new();
    for name in ["first", "second", "third"] {
        place.clock.advance_micros(SECOND);
        let new = NewExport {
            name: name.to_owned(),
            format: "ndjson".to_owned(),
            options: None,
            filter: Filter::default(),
            from: None,
            to: None,
            order: Order::OldestFirst,
            keep: Duration::from_secs(3600),
        };
        made.push(store.create_export(&log, &operator, new).await.expect("made"));
    }
    let page = store.exports(&log, None, 2).await.expect("listed");
    assert_eq!(page.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["third", "second"]);
    let page = store.exports(&log, Some(&page[1].id), 2).await.expect("listed");
    assert_eq!(page.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["first"]);

    let mut claim = store.claim_export("node-1").await.expect("answers").expect("a job");
    assert_eq!(claim.id(), made[0].id, "the oldest first");
    let (log_of_job, question) = claim.question().expect("readable");
    let chunks: Vec<_> = log_of_job.scan(question).try_collect().await.expect("read");
    let lines = chunks.concat().len() as u64;
    claim.write(Bytes::from_static(b"a line\n"), lines).await.expect("written");
    claim.finish(ExportOutcome::Done { sha256: "00".repeat(32) }).await.expect("done");
    let done = store.export(&log, &made[0].id).await.expect("known");
    assert_eq!((done.state, done.rows, done.bytes), (ExportState::Ready, lines, 7));
    let (_, file) = store.export_file(&log, &operator, &made[0].id).await.expect("a file");
    assert_eq!(file.try_collect::<Vec<_>>().await.expect("read").concat(), b"a line\n");

    // A claim that its node does not renew is another's after a while; what is released, at once.
    let lost = store.claim_export("node-1").await.expect("answers").expect("a job");
    assert_eq!(lost.id(), made[1].id);
    let third = store.claim_export("node-2").await.expect("answers").expect("a job");
    assert!(store.claim_export("node-2").await.expect("answers").is_none());
    third.release().await.expect("given back");
    assert_eq!(store.claim_export("node-2").await.expect("answers").expect("a job").id(), made[2].id);
    place.clock.advance_micros(DAY);
    assert_eq!(store.claim_export("node-2").await.expect("answers").expect("a job").id(), made[1].id);
    drop(lost);

    store.expire_exports().await.expect("swept");
    assert_eq!(store.export(&log, &made[0].id).await.expect("known").state, ExportState::Expired);
    store.delete_export(&log, &made[0].id).await.expect("removed");
    let gone = store.export(&log, &made[0].id).await;
    assert!(matches!(gone, Err(AccessError::NotFound)), "{gone:?}");
    store.shutdown().await;
}
