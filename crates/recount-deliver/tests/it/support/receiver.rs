//! An HTTP receiver of ours, that behaves as a script tells it and remembers everything.

use std::{
    convert::Infallible,
    io::Read as _,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::PATIENCE;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// Unpacked if it was gzip.
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the body is UTF-8")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The `seq`s of the events in a webhook's body.
    pub(crate) fn seqs(&self) -> Vec<u64> {
        self.events().iter().map(|event| event["seq"].as_u64().expect("events have a seq")).collect()
    }

    /// The numbers that the tests gave to the events in a webhook's body.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.events().iter().map(|event| event["metadata"]["n"].as_u64().expect("a number")).collect()
    }

    fn events(&self) -> Vec<serde_json::Value> {
        let data = &self.json()["data"];
        data.as_array().cloned().unwrap_or_else(|| vec![data.clone()])
    }
}

/// What the receiver does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Status(u16, Vec<(&'static str, String)>, String),
    /// The connection breaks without an answer.
    Reset,
    /// Status and the beginning of a body, and then the connection breaks.
    Torn(u16, String),
    /// Nothing comes, ever.
    Stall,
    /// 200, once the watch says so.
    Held(watch::Receiver<bool>),
    /// A status, so late that others are answered before.
    Late(u16),
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Status(status, Vec::new(), String::new())
    }

    pub(crate) fn body(status: u16, body: impl Into<String>) -> Self {
        Self::Status(status, Vec::new(), body.into())
    }
}

type Body = UnsyncBoxBody<Bytes, std::io::Error>;

type Script = dyn FnMut(&Received) -> Reply + Send;

/// A running receiver.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    script: Arc<Mutex<Box<Script>>>,
    count: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// Listens on a free port; answers as `script` says.
    pub(crate) async fn start(script: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let script: Arc<Mutex<Box<Script>>> = Arc::new(Mutex::new(Box::new(script)));
        let (counted, count) = watch::channel(0);
        let (kept, scripted) = (Arc::clone(&received), Arc::clone(&script));
        let counted = Arc::new(counted);
        let task = tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else { continue };
                let (kept, scripted, counted) =
                    (Arc::clone(&kept), Arc::clone(&scripted), Arc::clone(&counted));
                tokio::spawn(async move {
                    let service = service_fn(move |request: http::Request<Incoming>| {
                        let (kept, scripted, counted) =
                            (Arc::clone(&kept), Arc::clone(&scripted), Arc::clone(&counted));
                        async move { answer(request, &kept, &scripted, &counted).await }
                    });
                    let http = hyper::server::conn::http1::Builder::new();
                    // A reset shows as an error here.
                    let _ = http.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, received, script, count, task }
    }

    /// Takes everything.
    pub(crate) async fn friendly() -> Self {
        Self::start(|_| Reply::status(204)).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Behaves differently from now on.
    pub(crate) fn behave(&self, script: impl FnMut(&Received) -> Reply + Send + 'static) {
        *lock(&self.script) = Box::new(script);
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        lock(&self.received).clone()
    }

    /// Waits for so many requests in all.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut watched = self.count.clone();
        let waited = tokio::time::timeout(PATIENCE, watched.wait_for(|received| *received >= count)).await;
        let requests = self.requests();
        assert!(waited.is_ok(), "{} of {count} requests came", requests.len());
        requests
    }
}

async fn answer(
    request: http::Request<Incoming>,
    kept: &Mutex<Vec<Received>>,
    script: &Mutex<Box<Script>>,
    counted: &watch::Sender<usize>,
) -> Result<Response<Body>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let bytes = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Err(std::io::Error::other("the sender went away")),
    };
    let mut unpacked = Vec::new();
    if parts.headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).expect("valid gzip");
    } else {
        unpacked = bytes.to_vec();
    }
    let received = Received {
        method: parts.method,
        path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: parts.headers,
        body: unpacked,
    };
    let reply = lock(script)(&received);
    lock(kept).push(received);
    counted.send_modify(|count| *count += 1);
    match reply {
        Reply::Status(status, headers, body) => {
            let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
            let mut response = Response::new(body.boxed_unsync());
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().expect("a header's value"));
            }
            Ok(response)
        }
        Reply::Torn(status, begun) => {
            let begun = stream::iter([Ok(Frame::data(Bytes::from(begun)))]);
            // The beginning has left before the connection breaks.
            let broken = stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
            });
            let mut response = Response::new(StreamBody::new(begun.chain(broken)).boxed_unsync());
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            Ok(response)
        }
        Reply::Reset => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
        Reply::Held(mut opened) => {
            // Whoever held it open may be gone.
            let _ = opened.wait_for(|open| *open).await;
            Ok(Response::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync()))
        }
        Reply::Late(status) => {
            for _ in 0..2_000 {
                tokio::task::yield_now().await;
            }
            let mut response =
                Response::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync());
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            Ok(response)
        }
        Reply::Stall => {
            std::future::pending::<Infallible>().await;
            unreachable!("pending never ends")
        }
    }
}
