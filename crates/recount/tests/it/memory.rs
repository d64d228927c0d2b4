//! What a real server takes of memory is bounded, whatever is asked of it.
#![cfg(target_os = "linux")]

use std::io::Write as _;

use reqwest::StatusCode;

use crate::support::{OPERATOR_KEY, Server, folder};

const MIB: u64 = 1024 * 1024;
/// What may be held besides what the settings allow, in KiB.
const SLACK_KIB: u64 = 64 * 1024;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[tokio::test(flavor = "multi_thread")]
async fn decompression_bombs_take_no_more_than_ingest_may_hold() {
    const BOMBS: usize = 24;
    const IN_FLIGHT_MIB: u64 = 48;
    let folder = folder();
    let server = Server::with(folder.path(), |command| {
        command.args(["--set", &format!("http.ingest_in_flight={IN_FLIGHT_MIB}MiB")])
    });
    let http = reqwest::Client::new();
    let post = |coding: &'static str, body: Vec<u8>| {
        let request = http.post(format!("{}/v1/events", server.url)).bearer_auth(OPERATOR_KEY);
        let request = request.header("content-encoding", coding).body(body);
        async move { request.send().await.expect("an answer").status() }
    };
    assert_eq!(post("gzip", gzip(b"[]")).await, StatusCode::OK);
    let before = server.peak_kib();
    let plain = vec![b'['; 256 * MIB as usize];
    let (small, tiny) = (gzip(&plain), zstd::encode_all(&plain[..], 1).expect("memory"));
    let bombs = (0..BOMBS).map(|number| match number % 2 {
        0 => futures::future::Either::Left(post("gzip", small.clone())),
        _ => futures::future::Either::Right(post("zstd", tiny.clone())),
    });
    let answers = futures::future::join_all(bombs).await;
    assert!(answers.contains(&StatusCode::PAYLOAD_TOO_LARGE), "{answers:?}");
    let told =
        |status: &StatusCode| [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::TOO_MANY_REQUESTS].contains(status);
    assert!(answers.iter().all(told), "{answers:?}");
    let taken = server.peak_kib() - before;
    // What is decompressed is there twice for a moment: in the decoder's window and behind it.
    assert!(
        taken < 2 * IN_FLIGHT_MIB * 1024 + SLACK_KIB,
        "{taken} KiB for {BOMBS} bombs of {} MiB",
        plain.len() as u64 / MIB
    );
}
