//! Stored data that is damaged: told as such, by its name, and never served as if it were whole.

use std::path::PathBuf;

use recount_event::TenantId;
use recount_store::StoreConfig;
use recount_store::testing::{self, Tender};
use reqwest::Method;
use tempfile::TempDir;

use crate::harness::{OPERATOR, Server, events, send};

/// Events of each of the two segments.
const SEGMENT_EVENTS: usize = 5_000;

/// A log of two segments that has been stopped.
struct Sealed {
    dir: TempDir,
    config: StoreConfig,
    /// The object of the older one.
    object: String,
    /// A key of acme's.
    key: String,
}

impl Sealed {
    async fn make() -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        let mut config = StoreConfig::embedded(dir.path());
        config.maintain = false;
        config.seal.events = 1_000;
        let server = Server::start_on(config.clone(), dir, Default::default()).await;
        let acme: TenantId = "acme".parse().expect("a tenant");
        let all = events("acme", 2 * SEGMENT_EVENTS);
        let tender = Tender::new(&server.store, "maintain/test", "test").await.expect("the lease is free");
        for segment in all.chunks(SEGMENT_EVENTS) {
            server.append(OPERATOR, segment).await;
            tender.tend(&acme).await.expect("sealed");
        }
        server.append(OPERATOR, &events("other", 3)).await;
        let segments = testing::layout(&server.store, &acme).await.expect("whole").segments;
        assert_eq!(segments.len(), 2);
        let object = segments[0].2.clone();
        let key = server.tenant_key("acme").await;
        Self { dir: server.stop().await, config, object, key }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("objects").join(&self.object)
    }

    /// A server that has read nothing yet.
    async fn start(self) -> (Server, String, String) {
        let server = Server::start_on(self.config, self.dir, Default::default()).await;
        (server, self.object, self.key)
    }
}

fn cut(file: &PathBuf) {
    let whole = std::fs::read(file).expect("there");
    std::fs::write(file, &whole[..whole.len() / 2]).expect("room");
}

fn flip(file: &PathBuf) {
    let mut bytes = std::fs::read(file).expect("there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(file, bytes).expect("room");
}

fn remove(file: &PathBuf) {
    std::fs::remove_file(file).expect("there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_that_is_not_whole_is_named_and_not_served() {
    for damage in [cut, remove] {
        let sealed = Sealed::make().await;
        damage(&sealed.file());
        let (server, object, key) = sealed.start().await;
        for path in ["/v1/events?order=asc&limit=1000", "/v1/feed", "/v1/export?order=asc"] {
            let answer = server.get(path, &key).await;
            let detail = answer.json()["detail"].as_str().expect("detail").to_owned();
            assert!(detail.contains(&object) && detail.contains("not served"), "{path}: {detail}");
            assert_eq!(answer.problem(500), "data_damaged", "{path}");
        }
        let tail = send(server.request(Method::GET, "/v1/events/tail?from=0", &key)).await;
        assert!(!tail.text.contains("data:"), "{}", tail.text);
        // Others are as well as before.
        let others = server.get("/v1/events/e-1?tenant=other", OPERATOR).await.expect(200);
        assert_eq!(others["tenant"], "other");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_meets_damage_breaks_off_and_does_not_end() {
    let sealed = Sealed::make().await;
    flip(&sealed.file());
    let (server, _, key) = sealed.start().await;
    for format in ["ndjson", "csv"] {
        let path = format!("/v1/export?filter=-source:recount&format={format}");
        let mut export = server.request(Method::GET, &path, &key).send().await.expect("an answer");
        assert_eq!(export.status(), 200);
        let mut whole = Vec::new();
        let ended = loop {
            match export.chunk().await {
                Ok(Some(chunk)) => whole.extend_from_slice(&chunk),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let lines = whole.iter().filter(|byte| **byte == b'\n').count();
        assert!(ended.is_err(), "it must not look whole after {lines} lines");
        assert!((1_000..2 * SEGMENT_EVENTS).contains(&lines), "{lines} lines came before the damage");
    }
}
