//! The HTTP side as its clients see it: a real server on port 0, over SQLite and a folder.

mod harness;

mod bad_input;
mod counting;
mod damage;
mod exporting;
mod following;
mod host_tokens;
mod ingest;
mod isolation;
mod keys;
mod leaks;
mod listing;
mod openapi;
mod pages;
mod retention;
mod saved_views;
mod scopes;
mod sessions;
mod slow_clients;
mod streams;
