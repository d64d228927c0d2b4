//! Exports from the command line when something is wrong on the other side.

use crate::stand_in::StandIn;
use crate::support::{Ran, folder};

#[test]
fn an_export_that_is_cut_off_fails_and_leaves_no_file() {
    let folder = folder();
    let path = folder.path().join("events.ndjson");
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n\
               b\r\n{\"seq\":0}\r\n\r\n";
    let server = StandIn::answering([cut.to_owned(), cut.to_owned()]);
    let ran: Ran = server.command().args(["export", "-o"]).arg(&path).output().expect("it runs").into();
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.stderr.contains("broke off after 11 B"), "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 0, "nothing that looks whole");
    let ran: Ran = server.command().arg("export").output().expect("it runs").into();
    assert_eq!((ran.code, ran.stdout.as_str()), (7, "{\"seq\":0}\r\n"), "{}", ran.stderr);
}
