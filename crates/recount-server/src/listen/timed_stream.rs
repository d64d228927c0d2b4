//! A TCP stream that gives up on clients that are too slow.
//!
//! hyper limits the time of a request's head, but not the time before its first bytes, nor how
//! long a client may leave an answer unread. Both would hold a connection for ever.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// As many bytes as hyper wants before it knows the protocol; from then on it keeps its own time.
const PREFACE_BYTES: usize = 24;

/// A stream with a limit on silence before the first request, and on unread answers.
pub(super) struct TimedStream {
    stream: TcpStream,
    /// Bytes still missing until the protocol is known, and until when they must have come.
    preface: Option<(usize, Pin<Box<Sleep>>)>,
    /// Until when a write that waits must have moved.
    stalled: Option<Pin<Box<Sleep>>>,
    write_idle: Duration,
}

impl TimedStream {
    pub(super) fn new(stream: TcpStream, first_bytes: Duration, write_idle: Duration) -> Self {
        Self {
            stream,
            preface: Some((PREFACE_BYTES, Box::pin(sleep(first_bytes)))),
            stalled: None,
            write_idle,
        }
    }

    /// Passes a write's outcome on, or an error if writing has not moved for too long.
    fn watch_write<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.write_idle)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client does not read its answer",
            ))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        let Some((missing, deadline)) = &mut self.preface else { return outcome };
        if outcome.is_pending() {
            if deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no request came")));
            }
        } else if read >= *missing {
            self.preface = None;
        } else {
            *missing -= read;
        }
        outcome
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // A short request that is being answered has come whole.
        self.preface = None;
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch_write(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.preface = None;
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.watch_write(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch_write(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
