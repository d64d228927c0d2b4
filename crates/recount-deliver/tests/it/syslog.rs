//! Syslog over TLS.
//!
//! Proven by: Debian's rsyslog (imtcp with OpenSSL, mutual TLS) and syslog-ng, the products themselves.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{
    eventually, peers,
    world::{World, by, config, event},
};

/// Longest time that a receiver of ours that never closes is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What every event as JSON has.
const ACTION: &str = r#""action":"#;

/// A certificate authority with a server's and a client's certificate, as files in a folder.
struct Pki {
    folder: tempfile::TempDir,
    ca: String,
    server: (String, String),
    client: (String, String),
}

impl Pki {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "test authority");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
        let leaf = |name: &str| {
            let key = KeyPair::generate().expect("a key");
            let mut params =
                CertificateParams::new(vec![name.to_owned(), "localhost".to_owned()]).expect("names");
            params.distinguished_name.push(DnType::CommonName, name);
            let certificate = params.signed_by(&key, &issuer).expect("signed");
            (certificate.pem(), key.serialize_pem())
        };
        let server = leaf("siem.test");
        let client = leaf("recount.test");
        let this = Self { ca: issuer.pem(), server, client, folder };
        for (name, text) in
            [("ca.pem", &this.ca), ("server.pem", &this.server.0), ("server.key", &this.server.1)]
        {
            fs::write(this.path(name), text).expect("written");
        }
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn destination(pki: &Pki, port: u16) -> Value {
    json!({
        "type": "syslog", "host": "127.0.0.1", "port": port, "server_name": "siem.test", "ca": pki.ca,
        "client_certificate": pki.client.0, "client_key": pki.client.1, "hostname": "app-1",
    })
}

fn rest() -> Value {
    json!({"filter": "-source:recount", "batch": {"events_max": 20, "age_seconds_max": 0}})
}

/// The lines with `mark` that a receiver wrote, once it has so many.
async fn written(file: &Path, mark: &str, lines: usize) -> Vec<String> {
    let read = || -> Vec<String> {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().filter(|line| line.contains(mark)).map(str::to_owned).collect()
    };
    let what = fmt::from_fn(|out| {
        let found = read();
        write!(
            out,
            "the receiver to write {lines} lines; it has {}, the last {:?}",
            found.len(),
            found.last()
        )
    });
    eventually(what, || async {
        let found = read();
        (found.len() >= lines).then_some(found)
    })
    .await
}

async fn deliver_to(world: &World, destination: Value) {
    world.append("acme", (0..50).map(event)).await;
    let id = world.create("acme", destination, rest()).await.stream.id;
    let log = world.log("acme");
    let tested = world.streams().test(&log, &by(), &id).await.expect("sent");
    assert!(tested.passed, "{tested:?}");
    world.streams().enable(&log, &by(), &id, false, None).await.expect("enabled");
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    assert_eq!((stream.delivered, stream.dead_letters), (50, 0), "{stream:?}");
    // Each batch on a connection of its own, and none that the receiver refused.
    let attempts = world.streams().attempts(&log, &id, 300).await.expect("attempts");
    assert!(attempts.iter().all(|attempt| attempt.outcome == "accepted"), "{attempts:?}");
    engine.shutdown().await;
}

fn check(lines: &[String]) {
    let events: Vec<Value> = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line.trim_start_matches('\u{feff}')).ok())
        .filter(|event| event["action"] != "recount.stream.test")
        .collect();
    let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().expect("a seq")).collect();
    assert_eq!(seqs, (0..50).collect::<Vec<u64>>(), "whole and in order");
    assert_eq!(events[7]["description"], "Ada did thing 7\nwith = signs | and \\ slashes");
}

#[tokio::test]
async fn rsyslog_takes_our_frames_over_mutual_tls() {
    let Some(root) = peers::place("RECOUNT_TEST_RSYSLOG_DIR", "syslog against rsyslog") else { return };
    let (pki, port) = (Pki::new(), peers::free_port());
    let folder = pki.folder.path().display().to_string();
    let config = format!(
        r#"global(workDirectory="{folder}" DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{folder}/ca.pem"
  DefaultNetstreamDriverCertFile="{folder}/server.pem" DefaultNetstreamDriverKeyFile="{folder}/server.key" maxMessageSize="64k" processInternalMessages="on")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/name" PermittedPeer="recount.test")
template(name="message" type="string" string="%msg%\n")
template(name="data" type="string" string="%pri% %hostname% %app-name% %msgid% %structured-data%\n")
input(type="imtcp" port="{port}" address="127.0.0.1")
action(type="omfile" file="{folder}/message.log" template="message" asyncWriting="off" flushOnTXEnd="on")
action(type="omfile" file="{folder}/data.log" template="data")
"#
    );
    fs::write(pki.path("rsyslog.conf"), config).expect("written");
    let libraries = format!("{root}/usr/lib/x86_64-linux-gnu");
    let mut command = Command::new(format!("{root}/usr/sbin/rsyslogd"));
    command
        .args(["-n", "-f", &format!("{folder}/rsyslog.conf"), "-i", &format!("{folder}/pid")])
        .args(["-M", &format!("{libraries}/rsyslog")])
        .env("LD_LIBRARY_PATH", &libraries)
        .stderr(Stdio::null());
    let _daemon = peers::Daemon::start(&mut command);
    let (messages, data) = (pki.path("message.log"), pki.path("data.log"));
    // This rsyslog may close a connection's descriptor twice. A file that it opened in between is lost, so it opens
    // them before there is a connection: for its own word of having started.
    for file in [&messages, &data] {
        written(file, "rsyslog", 1).await;
    }
    peers::listening(port).await;
    let world = World::new().await;
    deliver_to(&world, destination(&pki, port)).await;
    check(&written(&messages, ACTION, 51).await);
    let data = written(&data, "[recount@", 51).await;
    let line = data.iter().find(|line| line.contains("id=\"e-7\"")).expect("an event's data");
    assert!(
        line.starts_with("109 app-1 recount user.login [recount@32473 id=\"e-7\" tenant=\"acme\" seq=\"7\""),
        "{line}"
    );

    // Without a certificate of ours, or with theirs from elsewhere, nothing is delivered.
    let mut bare = destination(&pki, port);
    for member in ["client_certificate", "client_key"] {
        bare.as_object_mut().expect("an object").remove(member);
    }
    let mut stranger = destination(&pki, port);
    stranger["ca"] = Pki::new().ca.into();
    for wrong in [bare, stranger] {
        let id = world.create("acme", wrong, rest()).await.stream.id;
        let tested = world.streams().test(&world.log("acme"), &by(), &id).await.expect("tried");
        assert!(!tested.passed, "{tested:?}");
    }
}

#[tokio::test]
async fn syslog_ng_takes_our_frames() {
    let Some(program) = peers::place("RECOUNT_TEST_SYSLOG_NG", "syslog against syslog-ng") else { return };
    let (pki, port) = (Pki::new(), peers::free_port());
    let folder = pki.folder.path().display().to_string();
    let config = format!(
        r#"@version: 3.38
options {{ keep-hostname(yes); log-msg-size(65536); }};
source in {{ syslog(ip("127.0.0.1") port({port}) transport("tls") tls(
  key-file("{folder}/server.key") cert-file("{folder}/server.pem") ca-file("{folder}/ca.pem") peer-verify(required-trusted))); }};
destination out {{ file("{folder}/message.log" template("$MSG\n")); }};
log {{ source(in); destination(out); }};
"#
    );
    fs::write(pki.path("syslog-ng.conf"), config).expect("written");
    let at = |name: &str| format!("{folder}/{name}");
    let mut command = Command::new(program);
    command
        .args([
            "-F",
            "--no-caps",
            "-f",
            &at("syslog-ng.conf"),
            "-R",
            &at("persist"),
            "-p",
            &at("pid"),
            "-c",
            &at("ctl"),
        ])
        .stderr(Stdio::null());
    let _daemon = peers::Daemon::start(&mut command);
    peers::listening(port).await;
    let world = World::new().await;
    deliver_to(&world, destination(&pki, port)).await;
    check(&written(&pki.path("message.log"), ACTION, 51).await);
}

#[tokio::test]
async fn an_event_that_is_too_long_for_a_frame_becomes_a_dead_letter() {
    let Some(program) = peers::place("RECOUNT_TEST_SYSLOG_NG", "syslog frames against syslog-ng") else {
        return;
    };
    let (pki, port) = (Pki::new(), peers::free_port());
    let folder = pki.folder.path().display().to_string();
    let config = format!(
        "@version: 3.38\nsource in {{ syslog(ip(\"127.0.0.1\") port({port}) transport(\"tls\") tls(key-file(\"{folder}/server.key\") \
         cert-file(\"{folder}/server.pem\") peer-verify(optional-untrusted))); }};\n\
         destination out {{ file(\"{folder}/message.log\" template(\"$MSG\\n\")); }};\nlog {{ source(in); destination(out); }};\n"
    );
    fs::write(pki.path("syslog-ng.conf"), config).expect("written");
    let at = |name: &str| format!("{folder}/{name}");
    let mut command = Command::new(program);
    command
        .args([
            "-F",
            "--no-caps",
            "-f",
            &at("syslog-ng.conf"),
            "-R",
            &at("persist"),
            "-p",
            &at("pid"),
            "-c",
            &at("ctl"),
        ])
        .stderr(Stdio::null());
    let _daemon = peers::Daemon::start(&mut command);
    peers::listening(port).await;
    let world = World::new().await;
    let mut long = event(1);
    long["description"] = "x".repeat(3_000).into();
    world.append("acme", [event(0), long, event(2)]).await;
    let mut destination = destination(&pki, port);
    destination["message_bytes_max"] = 2_048.into();
    let id = world.enabled("acme", destination, rest()).await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    assert_eq!((stream.delivered, stream.dead_letters), (2, 1));
    let letters = world.streams().dead_letters(&world.log("acme"), &id, 0, 10).await.expect("dead letters");
    assert!(letters.data[0].reason.contains("the destination takes 2048"), "{}", letters.data[0].reason);
}

/// What a receiver of ours does to its first connection; it takes the others in order.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Says goodbye right after the handshake, and reads nothing.
    Leaves,
    /// Is gone right after the handshake, without a word.
    Vanishes,
    /// Reads some bytes, then says goodbye.
    LeavesHalfway,
    /// Reads some bytes, then resets.
    Resets,
    /// Reads everything, and is gone without TLS's goodbye.
    EndsBare,
    /// Reads nothing, and stays.
    Stalls,
}

/// Listens, and keeps what its orderly connections carried.
async fn faulty(pki: &Pki, fault: Fault) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let chain =
        CertificateDer::pem_slice_iter(pki.server.0.as_bytes()).collect::<Result<Vec<_>, _>>().expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(pki.server.1.as_bytes()).expect("PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports them")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a server");
    let tls = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let kept: Arc<Mutex<Vec<u8>>> = Arc::default();
    let keeping = Arc::clone(&kept);
    tokio::spawn(async move {
        let mut stalled = Vec::new();
        let mut fault = Some(fault);
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = tls.accept(socket).await else { continue };
            let (mut some, mut all) = ([0; 16], Vec::new());
            let _ = match fault.take() {
                Some(Fault::Leaves) => stream.shutdown().await,
                Some(Fault::Vanishes) => Ok(()),
                Some(Fault::LeavesHalfway) => {
                    let _ = stream.read_exact(&mut some).await;
                    stream.shutdown().await
                }
                Some(Fault::Resets) => {
                    let _ = stream.read_exact(&mut some).await;
                    stream.get_ref().0.set_zero_linger()
                }
                Some(Fault::EndsBare) => stream.read_to_end(&mut all).await.map(|_| ()),
                Some(Fault::Stalls) => {
                    stalled.push(stream);
                    continue;
                }
                None => {
                    stream.read_to_end(&mut all).await.expect("frames, and an end in order");
                    keeping.lock().expect("no holder panics").extend(all);
                    stream.shutdown().await
                }
            };
        }
    });
    (port, kept)
}

#[tokio::test]
async fn events_that_a_receiver_may_not_have_read_come_again() {
    for fault in
        [Fault::Leaves, Fault::Vanishes, Fault::LeavesHalfway, Fault::Resets, Fault::EndsBare, Fault::Stalls]
    {
        let mut config = config();
        config.egress.exchange_timeout = PATIENCE;
        let (pki, world) = (Pki::new(), World::with(config).await);
        let (port, kept) = faulty(&pki, fault).await;
        // More than a receiver's TLS reads at once: what it has not read is still in its socket.
        let long = |number| {
            let mut event = event(number);
            event["description"] = "x".repeat(4_000).into();
            event
        };
        world.append("acme", (0..50).map(long)).await;
        let mut destination = destination(&pki, port);
        for member in ["client_certificate", "client_key"] {
            destination.as_object_mut().expect("an object").remove(member);
        }
        let id = world.enabled("acme", destination, rest()).await;
        let engine = world.start();
        let stream = world.until_caught_up("acme", &id).await;
        engine.shutdown().await;
        assert_eq!((stream.delivered, stream.dead_letters), (50, 0), "{fault:?}: {stream:?}");
        let attempts = world.streams().attempts(&world.log("acme"), &id, 10).await.expect("attempts");
        assert!(attempts.iter().any(|attempt| attempt.outcome == "retry"), "{fault:?}: {attempts:?}");
        let kept = kept.lock().expect("no holder panics").clone();
        let text = String::from_utf8(kept).expect("UTF-8");
        let seqs: Vec<u64> = text
            .split("] \u{feff}")
            .skip(1)
            .map(|body| {
                let mut values = serde_json::Deserializer::from_str(body).into_iter::<Value>();
                values.next().expect("an event").expect("JSON")["seq"].as_u64().expect("a seq")
            })
            .collect();
        assert_eq!(seqs, (0..50).collect::<Vec<u64>>(), "{fault:?}: whole, in order, once");
    }
}
