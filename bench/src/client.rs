//! One HTTP/1.1 connection that is kept, with nothing between it and the socket: the client
//! shares two cores with the server, so it must cost as little as it can.

use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A kept connection with a bearer key.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authorization: Option<String>,
}

impl Connection {
    /// Connects to a port on loopback.
    pub(crate) async fn open(port: u16, key: Option<&str>) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, authorization: key.map(|key| format!("Bearer {key}")) })
    }

    /// Sends a GET and reads the whole answer.
    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<(u16, Bytes)> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Sends a POST with a JSON body and reads the whole answer.
    pub(crate) async fn post(&mut self, path: &str, body: Bytes) -> anyhow::Result<(u16, Bytes)> {
        self.send(Method::POST, path, body).await
    }

    /// Sends a GET whose answer must be 200, and reads the whole answer.
    pub(crate) async fn get_ok(&mut self, path: &str) -> anyhow::Result<Bytes> {
        let (status, answer) = self.get(path).await?;
        ensure!(status == 200, "{path}: {status}: {}", String::from_utf8_lossy(&answer));
        Ok(answer)
    }

    /// Appends events, all of which must be accepted; sends them again while the server is busy.
    pub(crate) async fn append(&mut self, body: Bytes) -> anyhow::Result<()> {
        const BUSY: u16 = 429;
        const PAUSE: Duration = Duration::from_secs(1);
        loop {
            let (status, answer) = self.post("/v1/events", body.clone()).await?;
            if status == BUSY {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&answer));
            return Ok(());
        }
    }

    /// Sends a GET and reads the answer as it comes, keeping nothing. Returns its bytes.
    pub(crate) async fn drain(&mut self, path: &str) -> anyhow::Result<u64> {
        let answer = self.request(Method::GET, path, Bytes::new()).await?;
        ensure!(answer.status() == 200, "{path}: {}", answer.status());
        let (mut body, mut bytes) = (answer.into_body(), 0);
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
        }
        Ok(bytes)
    }

    async fn send(&mut self, method: Method, path: &str, body: Bytes) -> anyhow::Result<(u16, Bytes)> {
        let answer = self.request(method, path, body).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<Response<Incoming>> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1")
            .header("content-type", "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Full::new(body)).context("the request is well-formed")?;
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }
}
