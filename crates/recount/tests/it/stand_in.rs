//! A server that answers as a test tells it, to see what a client does about it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use crate::support::binary;

/// A request that came.
pub(crate) struct Asked {
    /// The first line: method and path.
    pub(crate) line: String,
    pub(crate) body: Vec<u8>,
}

/// Answers one connection after another, each with the next of its answers; refuses further ones.
pub(crate) struct StandIn {
    pub(crate) url: String,
    asked: Receiver<Asked>,
}

impl StandIn {
    pub(crate) fn answering<const N: usize>(answers: [String; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let (send, asked) = channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
                let (mut line, mut length) = (String::new(), 0);
                reader.read_line(&mut line).expect("a request");
                loop {
                    let mut header = String::new();
                    reader.read_line(&mut header).expect("a header");
                    let header = header.trim_end().to_lowercase();
                    if header.is_empty() {
                        break;
                    }
                    if let Some(value) = header.strip_prefix("content-length:") {
                        length = value.trim().parse().expect("a length");
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).expect("a body");
                let _ = send.send(Asked { line: line.trim_end().to_owned(), body });
                stream.write_all(answer.as_bytes()).expect("the client reads");
            }
        });
        Self { url, asked }
    }

    /// A command against it.
    pub(crate) fn command(&self) -> Command {
        let mut command = binary();
        command.env("RECOUNT_SERVER", &self.url).env("RECOUNT_KEY", "a-key");
        command
    }

    /// The next request that came.
    pub(crate) fn asked(&self) -> Asked {
        self.asked.try_recv().expect("a request came")
    }
}

/// An answer with that body, after which the connection ends.
pub(crate) fn answer(status: u16, media_type: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} Told\r\ncontent-type: {media_type}\r\nconnection: close\r\n\r\n{body}")
}
