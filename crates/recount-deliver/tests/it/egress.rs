//! What a tenant can't make the server reach: a corpus of addresses and names, none of it reached.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use recount_deliver::egress::{
    AddressPolicy, EgressClient, EgressConfig, EgressError, HttpRequest, RESOLVED_AT_ONCE_MAX, Resolve,
    SYSLOG_PORTS, StaticResolver,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::support::{
    receiver::{Receiver, Reply},
    world::{World, by, config},
};

/// URLs whose host is an address in some form, all of them inside.
const INSIDE_ADDRESSES: &[&str] = &[
    // IPv4, as it is usually written
    "https://0.0.0.0/",
    "https://0.1.2.3/",
    "https://10.0.0.1/",
    "https://10.255.255.255/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://100.127.255.254/",
    "https://127.0.0.1/",
    "https://127.255.255.254/",
    "https://168.63.129.16/",
    "https://169.254.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://169.254.170.2/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.0.0.1/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://192.31.196.1/",
    "https://192.52.193.1/",
    "https://192.88.99.1/",
    "https://192.168.0.1/",
    "https://192.168.255.255/",
    "https://192.175.48.1/",
    "https://198.18.0.1/",
    "https://198.19.255.255/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    // the same in decimal, octal, hexadecimal, short and mixed forms
    "https://2130706433/",
    "https://017700000001/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://0x0/",
    "https://0xa9.0xfe.0xa9.0xfe/",
    "https://2852039166/",
    "https://0251.0376.0251.0376/",
    "https://0xA9FEA9FE/",
    "https://3232235521/",
    "https://10.1/",
    "https://0x0a000001/",
    "https://127.0.0.1./",
    "https://①②⑦.⓪.⓪.①/",
    "https://１２７.0.0.1/",
    "https://127%2e0%2e0%2e1/",
    // IPv6: own machine, local, mapped, compatible, translated
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://[::7f00:1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::169.254.169.254]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[100::1]/",
    "https://[fe80::1]/",
    "https://[febf::1]/",
    "https://[fec0::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fdff:ffff::1]/",
    "https://[ff02::1]/",
    "https://[ff0e::1]/",
    "https://[5f00::1]/",
    "https://[4000::1]/",
    // IPv6: inside global unicast, and yet no place of a customer
    "https://[2001::1]/",
    "https://[2001:0:7f00:1::]/",
    "https://[2001:2::1]/",
    "https://[2001:10::1]/",
    "https://[2001:20::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:a9fe:a9fe::1]/",
    "https://[2620:4f:8000::1]/",
    "https://[3fff::1]/",
];

/// Addresses that names resolve to.
const INSIDE_ANSWERS: &[&str] = &[
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",
    "::1",
    "::ffff:127.0.0.1",
    "fe80::1",
    "fd00::1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "::127.0.0.1",
];

fn request(url: &str) -> Option<HttpRequest> {
    Some(HttpRequest::new(Method::POST, url.parse().ok()?, Bytes::from_static(b"{}")))
}

fn client(resolver: StaticResolver, allow: &[&str]) -> EgressClient {
    let allow = allow.iter().map(|net| net.parse().expect("a network")).collect();
    let config = EgressConfig { allow, resolver: Some(Arc::new(resolver)), ..EgressConfig::default() };
    EgressClient::new(&config).expect("a client")
}

fn is_refusal(error: &EgressError) -> bool {
    matches!(error, EgressError::Refused { .. } | EgressError::BadUrl { .. })
}

#[tokio::test]
async fn no_address_of_the_inside_is_reached_however_it_is_written() {
    let client = client(StaticResolver::default(), &[]);
    let mut tried = 0;
    for text in INSIDE_ADDRESSES {
        // A host that is no host at all is refused by the URL parser.
        let Some(request) = request(text) else { continue };
        tried += 1;
        let error = client.send(request).await.result.expect_err(text);
        assert!(is_refusal(&error), "{text}: {error:?}");
    }
    assert!(tried >= 80, "{tried} addresses");
}

#[tokio::test]
async fn no_name_leads_inside() {
    for address in INSIDE_ANSWERS {
        let ip: IpAddr = address.parse().expect("an address");
        let client = client(StaticResolver::default().with("innocent.example", &[&[ip]]), &[]);
        let error = client
            .send(request("https://innocent.example/").expect("a url"))
            .await
            .result
            .expect_err(address);
        assert!(matches!(error, EgressError::Refused { .. }), "{address}: {error:?}");
        let dialled = client.dialer().connect("innocent.example", 6514, SYSLOG_PORTS).await;
        assert!(matches!(dialled, Err(EgressError::Refused { .. })), "{address}");
    }
}

#[tokio::test]
async fn the_machines_own_names_lead_nowhere() {
    let client = EgressClient::new(&EgressConfig::default()).expect("a client");
    for url in ["https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://localhost:8443/"]
    {
        let error = client.send(request(url).expect("a url")).await.result.expect_err(url);
        assert!(
            matches!(error, EgressError::Refused { .. } | EgressError::Resolve { .. }),
            "{url}: {error:?}"
        );
    }
}

#[tokio::test]
async fn hosts_of_other_protocols_are_read_as_urls_read_them() {
    let dialer = client(StaticResolver::default(), &[]).dialer();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
        "169.254.169.254",
    ] {
        let error = dialer.connect(host, 6514, SYSLOG_PORTS).await.expect_err(host);
        assert!(is_refusal(&error), "{host}: {error:?}");
    }
}

/// Leads somewhere else at each look-up, and counts them.
struct Rebinding {
    answers: Vec<IpAddr>,
    asked: AtomicUsize,
}

#[async_trait]
impl Resolve for Rebinding {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(vec![self.answers[asked.min(self.answers.len() - 1)]])
    }
}

#[tokio::test]
async fn a_name_that_changes_its_answer_gains_nothing() {
    // An address that is allowed first (public space is stood in for by an opened address, so that
    // the test stays on this machine), then the inside.
    let allowed =
        Receiver::start(|_| Reply::Status(204, vec![("connection", "close".to_owned())], String::new()))
            .await;
    let port = allowed.address.port();
    let inside = TcpListener::bind(("127.0.0.2", port)).await.expect("the same port beside it");
    let reached = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&reached);
    tokio::spawn(async move {
        while inside.accept().await.is_ok() {
            counting.fetch_add(1, Ordering::SeqCst);
        }
    });
    let answers = ["127.0.0.1", "127.0.0.2", "127.0.0.2", "127.0.0.2"];
    let answers = answers.iter().map(|text| text.parse().expect("an address")).collect();
    let resolver = Arc::new(Rebinding { answers, asked: AtomicUsize::new(0) });
    let config = EgressConfig {
        allow: vec!["127.0.0.1/32".parse().expect("a network")],
        resolver: Some(Arc::clone(&resolver) as Arc<dyn Resolve>),
        ..EgressConfig::default()
    };
    let client = EgressClient::new(&config).expect("a client");
    let url = format!("http://rebind.example:{port}/");
    let answer =
        client.send(request(&url).expect("a url")).await.result.expect("the first answer is allowed");
    assert_eq!(answer.status, 204);
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1, "what was checked is what was connected to");
    for _ in 0..2 {
        let error = client.send(request(&url).expect("a url")).await.result.expect_err("now it is inside");
        assert!(matches!(error, EgressError::Refused { .. }), "{error:?}");
    }
    let dialled = client.dialer().connect("rebind.example", port, SYSLOG_PORTS).await;
    assert!(matches!(dialled, Err(EgressError::Refused { .. })));
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 4);
    assert_eq!(reached.load(Ordering::SeqCst), 0, "the inside was reached");
}

/// Destinations of every kind that lead to `host`, each with the member that does.
fn leading_to(host: &str) -> Vec<Value> {
    let keys = |mut destination: Value| {
        destination["access_key_id"] = "AKIATENANT".into();
        destination["secret_access_key"] = "tenant-secret".into();
        destination
    };
    let url = format!("https://{host}");
    vec![
        json!({"type": "webhook", "url": url}),
        json!({"type": "splunk", "url": url, "token": "11111111-2222-3333-4444-555555555555"}),
        json!({"type": "elasticsearch", "url": url}),
        json!({"type": "datadog", "url": url, "api_key": "0123456789abcdef"}),
        json!({"type": "https", "url": format!("{url}/{{tenant}}")}),
        json!({"type": "syslog", "host": host, "port": 6514, "server_name": "siem.example"}),
        keys(json!({"type": "s3", "bucket": "bucket", "endpoint": url})),
        keys(json!({"type": "s3", "bucket": "bucket", "endpoint": url, "path_style": false})),
        json!({
            "type": "s3", "bucket": "bucket", "region": "eu-central-1", "sts_endpoint": url,
            "role_arn": "arn:aws:iam::123456789012:role/r",
        }),
    ]
}

/// What became of a destination: the words with which it was refused.
async fn refused(world: &World, destination: Value) -> String {
    let body = json!({"name": "s", "destination": destination, "start": "beginning"});
    let create = serde_json::from_value(body).expect("a stream");
    let log = world.log("acme");
    match world.streams().create(&log, &by(), create).await {
        Err(error) => error.to_string(),
        Ok(created) => {
            let tested = world.streams().test(&log, &by(), &created.stream.id).await.expect("tried");
            assert!(!tested.passed, "{tested:?}");
            format!("{tested:?}")
        }
    }
}

#[tokio::test]
async fn no_destination_leads_inside_by_address_or_by_name() {
    let mut config = config();
    let inside: IpAddr = "127.0.0.1".parse().expect("an address");
    config.egress = EgressConfig {
        resolver: Some(Arc::new(
            StaticResolver::default()
                .with("inside.example", &[&[inside]])
                .with("bucket.inside.example", &[&[inside]]),
        )),
        ..EgressConfig::default()
    };
    let world = World::with(config).await;
    let mut tried = 0;
    for host in ["127.0.0.1", "169.254.169.254", "2130706433", "inside.example"] {
        for destination in leading_to(host) {
            // A bucket has no place before an address.
            if host != "inside.example" && destination["path_style"] == false {
                continue;
            }
            let shown = destination.to_string();
            let said = refused(&world, destination).await;
            assert!(
                said.contains("is not a public address")
                    || said.contains("in a range that this deployment opened"),
                "{shown}: {said}"
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 4 * 9 - 3);
}

#[tokio::test]
async fn the_deployments_credentials_go_to_amazon_or_where_it_opened_the_way() {
    let mut config = config();
    let outside: IpAddr = "203.0.114.1".parse().expect("an address");
    config.egress.allow = vec!["127.0.0.1/32".parse().expect("a network")];
    config.egress.resolver = Some(Arc::new(
        StaticResolver::default()
            .with("sts.evil.example", &[&[outside]])
            .with("sts.amazonaws.com.evil.example", &[&[outside]])
            .with("evil.amazonaws.com", &[&[outside]])
            .with("sts.a.b.amazonaws.com", &[&[outside]]),
    ));
    let world = World::with(config).await;
    let with = |sts: &str| {
        json!({
            "type": "s3", "bucket": "bucket", "sts_endpoint": sts,
            "role_arn": "arn:aws:iam::123456789012:role/r",
        })
    };
    for sts in [
        "https://203.0.114.1/",
        "https://sts.evil.example/",
        "https://sts.amazonaws.com.evil.example/",
        "https://evil.amazonaws.com/",
        "https://sts.a.b.amazonaws.com/",
        "https://sts.amazonaws.com:8443/",
    ] {
        let said = refused(&world, with(sts)).await;
        assert!(
            said.contains("in a range that this deployment opened") || said.contains("no such name"),
            "{sts}: {said}"
        );
    }
    for sts in ["https://sts.amazonaws.com/", "https://sts.eu-central-1.amazonaws.com", "http://127.0.0.1:9/"]
    {
        let body = json!({"name": "s", "destination": with(sts)});
        let create = serde_json::from_value(body).expect("a stream");
        world.streams().create(&world.log("acme"), &by(), create).await.expect(sts);
    }
}

/// Never answers, and counts who waits.
#[derive(Default)]
struct Silent {
    asked: AtomicUsize,
}

#[async_trait]
impl Resolve for Silent {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_silent_name_service_is_asked_by_few_at_once_and_not_waited_for() {
    let resolver = Arc::new(Silent::default());
    let config =
        EgressConfig { resolver: Some(Arc::clone(&resolver) as Arc<dyn Resolve>), ..EgressConfig::default() };
    let dialer = EgressClient::new(&config).expect("a client").dialer();
    let asking = (0..RESOLVED_AT_ONCE_MAX * 2).map(|_| dialer.connect("silent.example", 6514, SYSLOG_PORTS));
    for result in futures::future::join_all(asking).await {
        let error = result.expect_err("nobody answers");
        assert!(!error.is_configuration() && error.to_string().contains("name service"), "{error}");
    }
    assert_eq!(resolver.asked.load(Ordering::SeqCst), RESOLVED_AT_ONCE_MAX);
}

#[tokio::test]
async fn an_answer_that_never_ends_and_one_that_never_begins_are_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut connections = 0;
        while let Ok((mut socket, _)) = listener.accept().await {
            connections += 1;
            let drips = connections == 1;
            tokio::spawn(async move {
                if !drips {
                    return std::future::pending().await;
                }
                // The request comes first; an answer before it is none.
                let _ = socket.read(&mut [0; 4_096]).await;
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
                let mut pace = tokio::time::interval(Duration::from_millis(10));
                while socket.write_all(b"x").await.is_ok() {
                    pace.tick().await;
                }
            });
        }
    });
    let config = EgressConfig {
        allow: vec!["127.0.0.0/8".parse().expect("a network")],
        exchange_timeout: Duration::from_millis(300),
        ..EgressConfig::default()
    };
    let client = EgressClient::new(&config).expect("a client");
    for what in ["a byte at a time", "nothing at all"] {
        let exchange = client.send(request(&format!("http://{address}/")).expect("a url")).await;
        let error = exchange.result.expect_err(what);
        assert!(matches!(error, EgressError::Timeout { .. }), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn of_several_answers_only_the_allowed_are_connected_to() {
    let receiver = Receiver::friendly().await;
    let opened: IpAddr = "127.0.0.1".parse().expect("an address");
    let closed: IpAddr = "127.0.0.2".parse().expect("an address");
    let resolver = StaticResolver::default().with("mixed.example", &[&[closed, opened]]);
    let client = client(resolver, &["127.0.0.1/32"]);
    let url = format!("http://mixed.example:{}/", receiver.address.port());
    let answer = client.send(request(&url).expect("a url")).await.result.expect("the open one answers");
    assert_eq!(answer.status, 204);
}

#[tokio::test]
async fn redirects_are_answers_and_are_not_followed() {
    let inside = Receiver::friendly().await;
    let target = inside.url("/secret");
    for status in [301, 302, 303, 307, 308] {
        let target = target.clone();
        let outer = Receiver::start(move |_| {
            Reply::Status(status, vec![("location", target.clone())], String::new())
        })
        .await;
        let client = client(StaticResolver::default(), &["127.0.0.0/8"]);
        let answer = client.send(request(&outer.url("/")).expect("a url")).await.result.expect("an answer");
        assert_eq!(answer.status, status);
    }
    assert!(inside.requests().is_empty(), "a redirect was followed");
}

#[tokio::test]
async fn public_addresses_are_reached_over_https_at_usual_ports_only() {
    let public: IpAddr = "203.0.114.1".parse().expect("an address");
    let client = client(StaticResolver::default().with("public.example", &[&[public]]), &[]);
    for url in [
        "http://public.example/",
        "https://public.example:22/",
        "https://public.example:25/",
        "http://203.0.114.1/",
        "https://203.0.114.1:6379/",
        "ftp://public.example/",
        "file:///etc/passwd",
        "gopher://public.example/",
        "https://user:password@public.example/",
        "https://user@203.0.114.1/",
    ] {
        let error = client.send(request(url).expect("a url")).await.result.expect_err(url);
        assert!(is_refusal(&error), "{url}: {error:?}");
    }
    let dialled = client.dialer().connect("public.example", 22, SYSLOG_PORTS).await;
    assert!(matches!(dialled, Err(EgressError::Refused { .. })));
}

#[tokio::test]
async fn public_space_is_open_and_ranges_of_the_deployment_too() {
    let policy = AddressPolicy::new(&[
        "10.1.0.0/16".parse().expect("a network"),
        "fd12::/32".parse().expect("a network"),
    ]);
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "2001:4860:4860::8888",
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "::ffff:8.8.8.8",
        "fd12::1",
    ] {
        assert!(policy.check(address.parse().expect("an address")).is_ok(), "{address}");
    }
    for address in ["10.2.0.1", "fd13::1", "127.0.0.1"] {
        assert!(policy.check(address.parse().expect("an address")).is_err(), "{address}");
    }
}

#[tokio::test]
async fn answers_are_bounded_and_failures_keep_their_beginning() {
    let receiver = Receiver::start(|_| Reply::body(200, "x".repeat(1_000_000))).await;
    let client = client(StaticResolver::default(), &["127.0.0.0/8"]);
    let send = || client.send(request(&receiver.url("/")).expect("a url"));
    assert!(matches!(send().await.result, Err(EgressError::AnswerTooLong { .. })));
    receiver.behave(|_| Reply::body(500, "y".repeat(1_000_000)));
    let answer = send().await.result.expect("a failure is an answer");
    assert_eq!(answer.body.len(), HttpRequest::ANSWER_BYTES_MAX);
}

#[tokio::test]
async fn nothing_listens_is_an_error_that_may_pass() {
    let address: SocketAddr = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("bound")
    };
    let client = client(StaticResolver::default(), &["127.0.0.0/8"]);
    let exchange = client.send(request(&format!("http://{address}/")).expect("a url")).await;
    let error = exchange.result.expect_err("nobody is there");
    assert!(!error.is_configuration(), "{error:?}");
    assert!(exchange.elapsed < Duration::from_secs(10));
}
