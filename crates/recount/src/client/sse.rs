//! Reads server-sent events (WHATWG HTML, section 9.2) from an answer's body.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;

/// A line longer than this breaks the connection off; an event has at most 64 KiB.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// The server sends something every 15 seconds; a connection that is silent for so long is dead.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// One message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Its type; empty for `message`.
    pub event: String,
    /// Its text.
    pub data: String,
}

/// The messages of one answer.
pub struct Messages {
    body: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    parser: Parser,
}

impl Messages {
    /// The messages of that answer.
    #[must_use]
    pub fn of(response: reqwest::Response) -> Self {
        let body = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())).boxed();
        Self { body, parser: Parser::default() }
    }

    /// The next message, with or without data; `None` when the server ended the stream.
    ///
    /// # Errors
    /// If the connection broke or the stream is no event stream.
    pub async fn next(&mut self) -> Result<Option<Message>, String> {
        loop {
            if let Some(message) = self.parser.next()? {
                return Ok(Some(message));
            }
            match tokio::time::timeout(SILENCE_TIMEOUT, self.body.next()).await {
                Ok(Some(Ok(bytes))) => self.parser.buffer.extend_from_slice(&bytes),
                Ok(Some(Err(error))) => return Err(error.to_string()),
                Ok(None) => return Ok(None),
                Err(_) => return Err("the connection went silent".to_owned()),
            }
        }
    }
}

#[derive(Debug, Default)]
struct Parser {
    buffer: Vec<u8>,
    message: Message,
    started: bool,
}

impl Parser {
    /// The next whole message in the buffer.
    fn next(&mut self) -> Result<Option<Message>, String> {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let rest = self.buffer.split_off(end + 1);
            let line = std::mem::replace(&mut self.buffer, rest);
            let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            if line.is_empty() {
                if std::mem::take(&mut self.started) {
                    return Ok(Some(std::mem::take(&mut self.message)));
                }
                continue;
            }
            self.field(&line);
        }
        if self.buffer.len() > LINE_BYTES_MAX {
            return Err("a line of the event stream is too long".to_owned());
        }
        Ok(None)
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => self.message.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.message.event),
            "data" => {
                if !self.message.data.is_empty() {
                    self.message.data.push('\n');
                }
                self.message.data.push_str(value);
            }
            _ => return,
        }
        self.started = true;
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, Parser};

    #[test]
    fn messages_come_whole_however_they_are_cut() {
        let text = ": hello\nretry: 2000\n\nid: 7\nevent: event\ndata: {\"a\":1}\n\nid: 9\n\ndata: x\r\ndata: y\r\n\r\n";
        let mut parser = Parser::default();
        let mut found = Vec::new();
        for byte in text.bytes() {
            parser.buffer.push(byte);
            found.extend(parser.next().expect("an event stream"));
        }
        let message = |id: Option<&str>, event: &str, data: &str| Message {
            id: id.map(str::to_owned),
            event: event.to_owned(),
            data: data.to_owned(),
        };
        assert_eq!(
            found,
            [message(Some("7"), "event", "{\"a\":1}"), message(Some("9"), "", ""), message(None, "", "x\ny")]
        );
    }
}
