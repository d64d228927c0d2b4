//! The example as a newcomer starts it.

use std::process::Command;

#[test]
fn without_a_key_it_says_what_is_missing() {
    let ran = Command::new(env!("CARGO_BIN_EXE_recount-example-host"))
        .env_remove("RECOUNT_KEY")
        .output()
        .expect("it runs");
    let said = String::from_utf8(ran.stderr).expect("UTF-8");
    assert!(!ran.status.success());
    assert!(said.contains("RECOUNT_KEY") && said.contains("sessions:create"), "{said}");
}
