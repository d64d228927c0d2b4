//! The story worth finding: how an account of Acme was taken over, what was done with it, and
//! how it was noticed.
//!
//! A night of password guessing over many accounts hits one; its owner rejects push after push;
//! the help desk is talked into resetting the second factor; somebody signs in from a new
//! country, widens a role, makes a key, takes the customer list, and shortens how long the audit
//! log is kept. Two days later Security finds it and undoes it.

use crate::draft::{Context, Draft, Outcome, Value};
use crate::people::{Duty, Person, person};
use crate::random::Random;
use crate::world::{World, later};
use crate::{DAY_MICROS, HOUR_MICROS};

/// Whose account it is.
pub const STORY_ACTOR_NAME: &str = "Marta Kowalczyk";
/// The e-mail address of that account.
pub const STORY_ACTOR_EMAIL: &str = "marta.kowalczyk@acme.example";

/// Where the victim stands among the company's people: fairly active.
const VICTIM_INDEX: usize = 22;
const GUESSES: usize = 140;
const GUESSED_ACCOUNTS: u64 = 45;
const PUSHES: usize = 11;
const EXPORTS: usize = 9;
const INTRUDER_PLACE: &str = "Valletta, MT";
const INTRUDER_BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36";

/// One event of the story and its time.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) micros: i64,
    pub(crate) draft: Draft,
}

/// Tells the story, beginning in the night after `around`, and makes its victim one of the
/// company's people, with an ordinary life until then.
pub(crate) fn compromised_account(random: &mut Random, world: &mut World, around: i64) -> Vec<Scene> {
    let midnight = around.div_euclid(DAY_MICROS) * DAY_MICROS;
    let mut victim = person(random, "Marta", "Kowalczyk", "acme.example", Duty::Finance);
    (victim.city, victim.zone_hours) = ("Warsaw, PL", 1);
    world.people[VICTIM_INDEX] = victim.clone();
    world.suspended = Some((VICTIM_INDEX, midnight + 3 * DAY_MICROS + 8 * HOUR_MICROS));
    let world = &*world;
    let mut teller = Teller { scenes: Vec::new(), micros: midnight + 2 * HOUR_MICROS + 11 * 60 * 1_000_000 };
    guess_passwords(&mut teller, random, world, &victim);
    tire_out(&mut teller, random, &victim);
    teller.micros = midnight + 9 * HOUR_MICROS;
    talk_to_help_desk(&mut teller, random, world, &victim);
    let intruder = intruder_context(random);
    look_around(&mut teller, random, &victim, &intruder);
    take(&mut teller, random, &victim, &intruder);
    teller.micros = midnight + 3 * DAY_MICROS + 8 * HOUR_MICROS;
    notice(&mut teller, random, world, &victim);
    teller.scenes
}

struct Teller {
    scenes: Vec<Scene>,
    micros: i64,
}

impl Teller {
    /// Then, so many seconds later, this.
    fn then(&mut self, seconds: u64, draft: Draft) {
        self.micros = later(self.micros, seconds as i64) + 1_000 * (seconds as i64 * 7 % 997);
        self.scenes.push(Scene { micros: self.micros, draft });
    }
}

fn intruder_context(random: &mut Random) -> Context {
    Context {
        ip: "203.0.113.77".to_owned(),
        user_agent: INTRUDER_BROWSER.to_owned(),
        location: Some(INTRUDER_PLACE.to_owned()),
        session_id: Some(format!("s_{}", random.hex(12))),
    }
}

fn guess_passwords(teller: &mut Teller, random: &mut Random, world: &World, victim: &Person) {
    let guess = |person: &Person, ip: String, error: &'static str| {
        Draft::new("user.login", person.actor.clone(), format!("{} failed to sign in", person.actor.name))
            .outcome(Outcome::Failure)
            .on("user", person.actor.id.clone(), person.actor.name.clone())
            .from(Context {
                ip,
                user_agent: "python-requests/2.31.0".to_owned(),
                location: None,
                session_id: None,
            })
            .tag("severity", "medium")
            .meta("method", "password")
            .meta("error", error)
    };
    for _ in 0..GUESSES {
        let account = random.below(GUESSED_ACCOUNTS.min(world.people.len() as u64)) as usize;
        let ip = format!("203.0.113.{}", [14, 15, 61][random.below(3) as usize]);
        teller.then(random.between(4, 26), guess(&world.people[account], ip, "invalid_password"));
    }
    teller.then(9, guess(victim, "203.0.113.61".to_owned(), "mfa_required"));
}

fn tire_out(teller: &mut Teller, random: &mut Random, victim: &Person) {
    for _ in 0..PUSHES {
        let draft = Draft::new(
            "user.mfa_challenged",
            victim.actor.clone(),
            format!("{} rejected a push for a sign-in", victim.actor.name),
        )
        .outcome(Outcome::Denied)
        .on("user", victim.actor.id.clone(), victim.actor.name.clone())
        .from(Context { session_id: None, ..intruder_context(random) })
        .tag("severity", "high")
        .meta("factor", "push")
        .meta("answer", if random.chance(600) { "rejected" } else { "timed_out" });
        teller.then(random.between(60, 190), draft);
    }
}

fn talk_to_help_desk(teller: &mut Teller, random: &mut Random, world: &World, victim: &Person) {
    let helper = world.people.iter().find(|person| person.duty == Duty::Admin).unwrap_or(&world.people[0]);
    let session = format!("s_{}", random.hex(12));
    teller.then(
        1_260,
        Draft::new(
            "user.mfa_reset",
            helper.actor.clone(),
            format!("{} reset the second factor of {}", helper.actor.name, victim.actor.name),
        )
        .on("user", victim.actor.id.clone(), victim.actor.name.clone())
        .from(helper.desk(&session))
        .because("caller said that the phone was lost, HD-7713")
        .tag("severity", "high"),
    );
    let enrolled = Draft::new(
        "user.mfa_enrolled",
        victim.actor.clone(),
        format!("{} enrolled a second factor", victim.actor.name),
    )
    .on("user", victim.actor.id.clone(), victim.actor.name.clone())
    .from(intruder_context(random))
    .tag("severity", "high")
    .change("factors", Value::List(vec![]), Value::List(vec!["totp"]))
    .meta("device", "unknown Android phone");
    teller.then(214, enrolled);
}

fn look_around(teller: &mut Teller, random: &mut Random, victim: &Person, intruder: &Context) {
    let by = |action: &'static str, what: String| {
        Draft::new(action, victim.actor.clone(), what).from(intruder.clone())
    };
    let name = &victim.actor.name;
    teller.then(
        31,
        by("user.login", format!("{name} signed in"))
            .on("user", victim.actor.id.clone(), name.clone())
            .tag("severity", "high")
            .meta("method", "password")
            .meta("mfa", "totp")
            .meta("new_country", true),
    );
    for customer in ["Kestrel Insurance", "Gullwing Air", "Fernhill Energy", "Brightwater Clinics"] {
        let id = format!("cus_{}", random.hex(6));
        teller.then(
            random.between(20, 70),
            by("customer.viewed", format!("{name} viewed customer {customer}")).on("customer", id, customer),
        );
    }
    for secret in ["prod/payments/api-token", "prod/db/readonly", "prod/webhook-signing", "ci/registry"] {
        teller.then(
            random.between(8, 30),
            by("secret.accessed", format!("{name} read secret {secret}"))
                .outcome(Outcome::Denied)
                .on("secret", format!("sec_{}", secret.replace('/', "-")), secret)
                .tag("severity", "high")
                .meta("error", "missing_permission"),
        );
    }
}

fn take(teller: &mut Teller, random: &mut Random, victim: &Person, intruder: &Context) {
    let by = |action: &'static str, what: String| {
        Draft::new(action, victim.actor.clone(), what).from(intruder.clone()).tag("severity", "high")
    };
    let name = &victim.actor.name;
    teller.then(
        240,
        by("role.updated", format!("{name} updated role Billing admin"))
            .on("role", "r_3", "Billing admin")
            .change("max_refund_usd", 500, 25_000)
            .change(
                "permissions",
                Value::List(vec!["invoices.read", "invoices.refund"]),
                Value::List(vec![
                    "invoices.read",
                    "invoices.refund",
                    "customers.export",
                    "api_keys.create",
                    "settings.write",
                ]),
            ),
    );
    let key = format!("key_{}", random.hex(8));
    teller.then(
        95,
        by("api_key.created", format!("{name} created API key quarterly-sync"))
            .on("api_key", key.clone(), "quarterly-sync")
            .meta("scopes", Value::List(vec!["customers:read", "customers:export", "invoices:read"]))
            .meta("expires_in_days", 3_650),
    );
    for part in 1..=EXPORTS {
        let mut draft = Draft::new(
            "customer.exported",
            crate::draft::Actor {
                kind: "api_key",
                id: key.clone(),
                name: "quarterly-sync".to_owned(),
                email: None,
            },
            format!("quarterly-sync exported the customer list (part {part} of {EXPORTS})"),
        )
        .on("customer_list", "cus_all", "the customer list")
        .from(Context {
            ip: "203.0.113.78".to_owned(),
            user_agent: "curl/8.4.0".to_owned(),
            location: Some(INTRUDER_PLACE.to_owned()),
            session_id: None,
        })
        .tag("severity", "high")
        .meta("format", "csv")
        .meta("rows", random.between(22_000, 25_000));
        draft.source = "api";
        teller.then(random.between(40, 90), draft);
    }
    teller.then(
        130,
        by("webhook.created", format!("{name} created webhook collect.example.net"))
            .on("webhook", format!("wh_{}", random.hex(8)), "collect.example.net")
            .meta("url", "https://collect.example.net/in"),
    );
    cover_up(teller, name, &by);
}

/// What the intruder did so that nobody sees it.
fn cover_up(teller: &mut Teller, name: &str, by: &dyn Fn(&'static str, String) -> Draft) {
    let allow_all = Value::List(vec!["192.0.2.0/24", "0.0.0.0/0"]);
    teller.then(
        75,
        by("ip_allowlist.updated", format!("{name} changed the IP allow-list of the workspace"))
            .on("settings", "workspace", "the workspace")
            .change("ranges", Value::List(vec!["192.0.2.0/24"]), allow_all),
    );
    teller.then(
        48,
        by("audit_settings.updated", format!("{name} changed how the audit log is kept"))
            .on("settings", "audit", "the audit log")
            .change("retention_days", 365, 30)
            .change("alerts_enabled", true, false)
            .change("stream_to_siem", true, false),
    );
}

fn notice(teller: &mut Teller, random: &mut Random, world: &World, victim: &Person) {
    let guard = world.people.iter().find(|person| person.duty == Duty::Security).unwrap_or(&world.people[0]);
    let session = format!("s_{}", random.hex(12));
    let by = |action: &'static str, what: String| {
        Draft::new(action, guard.actor.clone(), what).from(guard.desk(&session)).because("SEC-2041")
    };
    let (name, owner) = (&guard.actor.name, &victim.actor.name);
    let on_owner = |draft: Draft| draft.on("user", victim.actor.id.clone(), owner.clone());
    teller.then(
        600,
        by("audit_log.viewed", format!("{name} searched the audit log"))
            .on("audit_log", "audit", "the audit log")
            .meta("filter", "actor:marta.kowalczyk@acme.example"),
    );
    teller.then(300, on_owner(by("user.suspended", format!("{name} suspended {owner}"))));
    teller.then(22, on_owner(by("session.revoked", format!("{name} revoked all sessions of {owner}"))));
    teller.then(
        40,
        by("api_key.revoked", format!("{name} revoked API key quarterly-sync")).on(
            "api_key",
            "key_quarterly",
            "quarterly-sync",
        ),
    );
    teller.then(
        190,
        by("role.updated", format!("{name} updated role Billing admin"))
            .on("role", "r_3", "Billing admin")
            .change("max_refund_usd", 25_000, 500),
    );
    teller.then(
        61,
        by("audit_settings.updated", format!("{name} changed how the audit log is kept"))
            .on("settings", "audit", "the audit log")
            .change("retention_days", 30, 365)
            .change("alerts_enabled", false, true)
            .change("stream_to_siem", false, true),
    );
    teller.then(900, on_owner(by("user.password_reset", format!("{name} sent a password reset to {owner}"))));
}
