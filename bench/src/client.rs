//! One HTTP/1.1 connection that is kept, with nothing between it and the socket: the client
//! shares two cores with the server, so it must cost as little as it can.

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{Method, Request};
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

    async fn send(&mut self, method: Method, path: &str, body: Bytes) -> anyhow::Result<(u16, Bytes)> {
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
        let answer = self.sender.send_request(request).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}
