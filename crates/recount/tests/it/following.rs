//! `tail -f` over connections that break: no gap, nothing twice.

use crate::stand_in::{StandIn, answer};
use crate::support::Ran;

fn event(seq: u64) -> String {
    format!("{{\"id\":\"e{seq}\",\"occurred_at\":\"2026-11-01T10:00:00Z\",\"seq\":{seq}}}")
}

fn stream(blocks: &[String]) -> String {
    answer(200, "text/event-stream", &format!("retry: 2000\n\n{}", blocks.concat()))
}

fn block(seq: u64) -> String {
    format!("id: {seq}\nevent: event\ndata: {}\n\n", event(seq))
}

/// Follows until the stand-in has no answers left, says that it ends, and gives what was printed.
fn follow(server: &StandIn, lines: &str) -> Vec<String> {
    let arguments = ["tail", "-f", "--json", "-n", lines];
    let ran: Ran = server.command().args(arguments).output().expect("it runs").into();
    assert_eq!(ran.code, 5, "the last answer ends it: {ran:?}");
    ran.stdout.lines().map(str::to_owned).collect()
}

fn no_more() -> String {
    answer(401, "application/problem+json", "{\"code\":\"unauthenticated\",\"title\":\"No\"}")
}

#[test]
fn a_connection_that_broke_before_any_event_leaves_no_gap() {
    let server = StandIn::answering([stream(&["id: 41\n\n".to_owned()]), stream(&[block(42)]), no_more()]);
    assert_eq!(follow(&server, "0"), [event(42)]);
    assert_eq!(server.asked().line, "GET /v1/events/tail HTTP/1.1");
    assert_eq!(server.asked().line, "GET /v1/events/tail?from=42 HTTP/1.1", "where the first one began");
    assert_eq!(server.asked().line, "GET /v1/events/tail?from=43 HTTP/1.1");
}

#[test]
fn following_an_empty_log_begins_with_its_first_event() {
    let server = StandIn::answering([stream(&["id: -1\n\n".to_owned()]), no_more()]);
    assert_eq!(follow(&server, "0"), Vec::<String>::new());
    server.asked();
    assert_eq!(server.asked().line, "GET /v1/events/tail?from=0 HTTP/1.1");
}

#[test]
fn what_was_shown_at_the_beginning_is_not_shown_again_and_hides_nothing() {
    // The list is asked for after the stream began at 42, and has 44 already, but not 43: that one
    // is older by its time. The connection breaks before the stream came to either.
    let page = format!("{{\"data\":[{},{}],\"next_cursor\":null}}", event(44), event(40));
    let server = StandIn::answering([
        stream(&["id: 41\n\n".to_owned()]),
        answer(200, "application/json", &page),
        stream(&["id: 41\n\n".to_owned(), block(42), block(43), block(44), block(45)]),
        no_more(),
    ]);
    assert_eq!(follow(&server, "2"), [event(40), event(44), event(42), event(43), event(45)]);
    server.asked();
    assert_eq!(server.asked().line, "GET /v1/events?limit=2 HTTP/1.1");
    assert_eq!(server.asked().line, "GET /v1/events/tail?from=42 HTTP/1.1");
    assert_eq!(server.asked().line, "GET /v1/events/tail?from=46 HTTP/1.1");
}
