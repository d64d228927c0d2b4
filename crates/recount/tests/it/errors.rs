//! A server that cannot start says why, what to do, and exits with a code of its own.

use std::net::TcpListener;

use crate::support::{OPERATOR_KEY, Ran, Server, binary, folder, run};

fn serve(folder: &str, listen: &str) -> Ran {
    binary()
        .args(["serve", "--data-dir", folder, "--listen", listen])
        .env("RECOUNT_OPERATOR_KEY", OPERATOR_KEY)
        .output()
        .expect("it runs")
        .into()
}

#[test]
fn a_port_that_is_taken() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let ran = serve(folder.path().to_str().expect("UTF-8"), &address);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert!(
        ran.stderr.contains(&format!("cannot listen on {address}")) && ran.stderr.contains("--listen"),
        "{}",
        ran.stderr
    );
    let elsewhere = serve(folder.path().to_str().expect("UTF-8"), "192.0.2.1:8787");
    assert_eq!(elsewhere.code, 10, "{elsewhere:?}");
}

#[test]
fn a_folder_that_cannot_be_written() {
    let folder = folder();
    let file = crate::support::write(folder.path(), "file", "");
    let ran = serve(&format!("{file}/data"), "127.0.0.1:0");
    assert_eq!(ran.code, 11, "{ran:?}");
    assert!(
        ran.stderr.contains("cannot write the data folder") && ran.stderr.contains("--data-dir"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_folder_that_another_process_uses() {
    let folder = folder();
    let _first = Server::start(folder.path());
    let ran = serve(folder.path().to_str().expect("UTF-8"), "127.0.0.1:0");
    assert_eq!(ran.code, 14, "{ran:?}");
    assert!(ran.stderr.contains("in use by another process"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_catalog_of_a_newer_version() {
    use sqlx::Connection as _;
    let folder = folder();
    Server::start(folder.path()).stop();
    let path = folder.path().join("catalog.db");
    let url = format!("sqlite://{}", path.display());
    let mut catalog = sqlx::SqliteConnection::connect(&url).await.expect("the catalog is SQLite");
    sqlx::query("INSERT INTO schema_versions (version) VALUES (9999)")
        .execute(&mut catalog)
        .await
        .expect("the table of migrations");
    catalog.close().await.expect("closed");
    let ran = serve(folder.path().to_str().expect("UTF-8"), "127.0.0.1:0");
    assert_eq!(ran.code, 13, "{ran:?}");
    assert!(ran.stderr.contains("9999") && ran.stderr.contains("newer binary"), "{}", ran.stderr);
}

#[test]
fn a_database_that_is_not_there() {
    let ran: Ran = binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", folder().path().to_str().expect("UTF-8")])
        .env("RECOUNT_CATALOG", "postgres://nobody:secret-word@127.0.0.1:1/none")
        .env("RECOUNT_SECRET_KEY", "0".repeat(64))
        .output()
        .expect("it runs")
        .into();
    assert_eq!(ran.code, 15, "{ran:?}");
    assert!(!ran.stderr.contains("secret-word") && ran.stderr.contains("catalog"), "{}", ran.stderr);
}

#[test]
fn the_first_start_prints_the_operators_key_once() {
    let folder = folder();
    let start = || {
        let mut command = binary();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        // It listens before it prints; the log says when.
        let mut log = std::io::BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("listening") {
            line.clear();
            assert!(std::io::BufRead::read_line(&mut log, &mut line).expect("readable") > 0, "it ended");
        }
        assert!(
            std::process::Command::new("kill")
                .args(["-TERM", &child.id().to_string()])
                .status()
                .expect("kill")
                .success()
        );
        let mut out = String::new();
        std::io::Read::read_to_string(&mut child.stdout.take().expect("piped"), &mut out).expect("UTF-8");
        assert!(child.wait().expect("it ended").success());
        out
    };
    let first = start();
    assert!(first.contains("rk_op_"), "{first}");
    assert!(!start().contains("rk_op_"), "the key is shown once");
}

#[test]
fn a_client_is_told_in_words() {
    let away = run(["search", "--server", "http://127.0.0.1:1", "--key", "k"]);
    assert_eq!(away.code, 7);
    assert!(away.stderr.contains("is `recount serve` running there?"), "{}", away.stderr);
    let filter = run(["search", "action:a", "actr:ada"]);
    assert_eq!(filter.code, 3, "{filter:?}");
    assert!(filter.stderr.contains("actr:ada") && filter.stderr.contains("^^^"), "{}", filter.stderr);
    let when = run(["search", "--from", "soon"]);
    assert_eq!(when.code, 2);
    assert!(when.stderr.contains("write 15m, 6h, 7d"), "{}", when.stderr);
    let folder = folder();
    let server = Server::start(folder.path());
    let no_tenant = server.run(["search"]);
    assert!(no_tenant.stderr.contains("--tenant or RECOUNT_TENANT"), "{}", no_tenant.stderr);
    let wrong_key = server.run_as("rk_tn_wrong", ["search", "--tenant", "acme"]);
    assert_eq!(wrong_key.code, 5, "{wrong_key:?}");
    assert_eq!(server.run(["tenants", "show", "nobody"]).code, 6);
}
