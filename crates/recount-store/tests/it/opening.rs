//! Opening: what can't work is refused at once, with words that say what to do.

use recount_store::testing::{self, Tender};
use recount_store::{CatalogLocation, ObjectsLocation, OpenError, S3Location, Store, StoreConfig};

use crate::support::{Place, on_both_catalogs};

on_both_catalogs! {
    a_catalog_newer_than_the_binary_is_refused,
    opening_again_migrates_nothing,
}

async fn a_catalog_newer_than_the_binary_is_refused(place: Place) {
    let store = place.open().await;
    testing::execute(&store, "INSERT INTO schema_versions (version) VALUES (9999)").await.expect("newer");
    store.shutdown().await;
    let refused = Store::open(place.config.clone(), place.env.clone()).await.expect_err("refused");
    assert!(matches!(refused, OpenError::CatalogNewer { found: 9999, .. }), "{refused}");
}

async fn opening_again_migrates_nothing(place: Place) {
    for _ in 0..2 {
        let store = place.open().await;
        store.ready().await.expect("ready");
        store.shutdown().await;
        store.ready().await.expect_err("shut down");
    }
}

#[tokio::test]
async fn two_processes_can_not_open_one_folder() {
    let place = Place::sqlite();
    let store = place.open().await;
    let refused = Store::open(place.config.clone(), place.env.clone()).await.expect_err("in use");
    assert!(matches!(&refused, OpenError::InUse { path } if path.contains("catalog")), "{refused}");
    store.shutdown().await;
    drop(store);
    place.open().await.shutdown().await;
}

/// The lock on the file proves that their holder is gone, so nobody waits until they expire.
#[tokio::test]
async fn leases_of_a_process_that_was_killed_are_free_for_the_next() {
    let place = Place::sqlite();
    let store = place.open().await;
    let killed = Tender::new(&store, "maintain/0", "killed").await.expect("free");
    assert!(Tender::new(&store, "maintain/0", "next").await.is_none());
    store.shutdown().await;
    drop((store, killed));
    let store = place.open().await;
    assert!(Tender::new(&store, "maintain/0", "next").await.is_some());
    store.shutdown().await;
}

#[tokio::test]
async fn what_can_not_be_opened_is_named() {
    let place = Place::sqlite();
    let file = place.dir().join("a-file");
    std::fs::write(&file, "no database, no folder").expect("written");
    let sqlite = CatalogLocation::Sqlite(file.clone());
    let folder = ObjectsLocation::Folder(place.dir().join("o"));
    let refused = Store::open(StoreConfig::at(sqlite, folder.clone()), place.env.clone()).await;
    let refused = refused.expect_err("not a database").to_string();
    assert!(refused.contains("a-file") && refused.contains("not a database"), "{refused}");

    let fine = CatalogLocation::Sqlite(place.dir().join("new").join("catalog.db"));
    let objects = ObjectsLocation::Folder(file.join("below-a-file"));
    let refused = Store::open(StoreConfig::at(fine, objects), place.env.clone()).await;
    let refused = refused.expect_err("not a folder").to_string();
    assert!(refused.contains("a-file"), "{refused}");

    let bucket = ObjectsLocation::S3(S3Location {
        bucket: "no-bucket".to_owned(),
        endpoint: Some("http://127.0.0.1:9".to_owned()),
        region: Some("us-east-1".to_owned()),
        access_key_id: Some("key".to_owned()),
        secret_access_key: Some("hush".to_owned()),
        ..S3Location::default()
    });
    let fine = CatalogLocation::Sqlite(place.dir().join("other").join("catalog.db"));
    let refused = Store::open(StoreConfig::at(fine, bucket), place.env.clone()).await;
    let refused = refused.expect_err("nobody listens").to_string();
    assert!(refused.contains("s3://no-bucket") && !refused.contains("hush"), "{refused}");

    let nowhere = CatalogLocation::Postgres("postgres://someone:hush@127.0.0.1:9/db".to_owned());
    let refused = Store::open(StoreConfig::at(nowhere, folder), place.env.clone()).await;
    let refused = refused.expect_err("nobody listens").to_string();
    assert!(refused.contains("postgres://127.0.0.1:9/db") && !refused.contains("hush"), "{refused}");
}
