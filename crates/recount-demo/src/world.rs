//! One company: who works there, what they have, and what happens at a given moment.

use crate::actions::{Action, By, Menu};
use crate::details::{GROUPS, ROLES, details, login, login_failed};
use crate::draft::{Draft, Outcome};
use crate::people::{Duty, Person, Service, ServiceRole, people, services};
use crate::random::Random;
use crate::{DAY_MICROS, HOUR_MICROS, SECOND_MICROS};

const PROJECTS: [&str; 14] = [
    "Atlas",
    "Beacon",
    "Cobalt",
    "Driftwood",
    "Ember",
    "Fjord",
    "Granite",
    "Harvest",
    "Indigo",
    "Juniper",
    "Keystone",
    "Lantern",
    "Meridian",
    "Northstar",
];
const DOCUMENTS: [&str; 16] = [
    "Quarterly forecast",
    "Board minutes",
    "Supplier contract",
    "Hiring plan",
    "Incident review",
    "Price list",
    "Security questionnaire",
    "Roadmap",
    "Onboarding checklist",
    "Travel policy",
    "Master services agreement",
    "Budget",
    "Launch plan",
    "Data processing agreement",
    "Salary bands",
    "Postmortem",
];
const CUSTOMERS: [&str; 16] = [
    "Aldermoor Foods",
    "Brightwater Clinics",
    "Cedar & Sons",
    "Dunmore Logistics",
    "Eastgate Hotels",
    "Fernhill Energy",
    "Gullwing Air",
    "Hollis Print",
    "Ironbridge Tools",
    "Jarrow Textiles",
    "Kestrel Insurance",
    "Lowland Dairy",
    "Marlow Books",
    "Nettlefold Steel",
    "Orchard Schools",
    "Pinecrest Homes",
];
const SECRETS: [&str; 6] = [
    "prod/payments/api-token",
    "prod/db/readonly",
    "staging/smtp",
    "prod/webhook-signing",
    "ci/registry",
    "prod/maps",
];
const INTEGRATIONS: [&str; 6] = ["Salesforce", "Slack", "Jira", "NetSuite", "Zendesk", "Snowflake"];
const REPORTS: [&str; 6] =
    ["Monthly revenue", "Churn by region", "Open tickets", "Usage by plan", "Access review", "Cash flow"];

/// A session ends after this long without an action.
const SESSION_IDLE_MICROS: i64 = 3 * HOUR_MICROS;
/// So many people are in the middle of something at a time.
const ACTIVE_PEOPLE_MAX: usize = 10;
/// Of a thousand actions, so many are by somebody who is in the middle of something.
const STAYS_PER_MILLE: u64 = 860;
/// Of a thousand logins, so many are mistyped passwords.
const LOGIN_FAILED_PER_MILLE: u64 = 45;
/// Of a thousand actions of people, so many are refused for want of a permission.
const DENIED_PER_MILLE: u64 = 14;
/// Of a thousand actions, so many fail for another reason.
const FAILED_PER_MILLE: u64 = 9;

#[derive(Clone, Debug)]
struct Session {
    last_micros: i64,
    context: crate::draft::Context,
}

/// A company whose days can be told.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) people: Vec<Person>,
    pub(crate) services: Vec<Service>,
    sessions: Vec<Option<Session>>,
    /// Who acted last, at most [`ACTIVE_PEOPLE_MAX`]: people work in stretches.
    active: Vec<usize>,
    /// Somebody who is locked out from then on.
    pub(crate) suspended: Option<(usize, i64)>,
    menus: [(Duty, Menu); 5],
    /// What only some may do.
    restricted: Menu,
    service_menus: Vec<Menu>,
    service_weights: Vec<u32>,
}

impl World {
    /// A company with so many people.
    pub(crate) fn new(random: &mut Random, domain: &str, people_count: usize) -> Self {
        let people = people(random, domain, people_count);
        let services = services(random);
        let menu = |duty: Duty| {
            let mine = move |by: By| match by {
                By::Anyone => true,
                By::Only(only) => only == duty,
                By::Service(_) => false,
            };
            (duty, Menu::new(mine))
        };
        let service_menus =
            services.iter().map(|service| Menu::new(|by| by == By::Service(service.role))).collect();
        let service_weights = services
            .iter()
            .map(|service| match service.role {
                ServiceRole::Sync => 30,
                ServiceRole::ApiKey => 45,
                ServiceRole::Directory => 14,
                ServiceRole::Deploy => 9,
                ServiceRole::Scheduler => 8,
                ServiceRole::Backup => 4,
            })
            .collect();
        Self {
            sessions: vec![None; people.len()],
            active: Vec::new(),
            suspended: None,
            people,
            services,
            menus: [Duty::Member, Duty::Admin, Duty::Finance, Duty::Engineer, Duty::Security].map(menu),
            restricted: Menu::new(|by| matches!(by, By::Only(_))),
            service_menus,
            service_weights,
        }
    }

    /// How busy people are in that hour, from 0 to 1: office hours, little at lunch, less on
    /// Fridays, hardly anything at night and on weekends.
    pub(crate) fn busyness(micros: i64) -> f64 {
        let hour = micros.div_euclid(HOUR_MICROS).rem_euclid(24);
        // 1970-01-01 was a Thursday: day 0 of the week is Monday.
        let weekday = (micros.div_euclid(DAY_MICROS) + 3).rem_euclid(7);
        let by_hour = match hour {
            8 | 16 => 0.75,
            9..=11 | 13..=15 => 1.0,
            12 => 0.55,
            7 | 17 => 0.4,
            18..=20 => 0.18,
            6 | 21 => 0.08,
            _ => 0.03,
        };
        match weekday {
            5 | 6 => by_hour * 0.09,
            4 => by_hour * 0.85,
            _ => by_hour,
        }
    }

    /// What happens at that moment. People come with their local hours, services always.
    pub(crate) fn happen(&mut self, random: &mut Random, micros: i64) -> Draft {
        let people_share = (Self::busyness(micros) * 6.0) / (Self::busyness(micros) * 6.0 + 0.9);
        if random.unit() < people_share {
            self.person_acts(random, micros)
        } else {
            self.service_acts(random)
        }
    }

    fn person_acts(&mut self, random: &mut Random, micros: i64) -> Draft {
        let index = self.who(random, micros);
        let person = &self.people[index];
        let open = self.sessions[index].take().filter(|open| micros - open.last_micros < SESSION_IDLE_MICROS);
        let Some(mut session) = open else {
            let session = format!("s_{}", random.hex(12));
            let context = person.context(random, session);
            if random.chance(LOGIN_FAILED_PER_MILLE) {
                return login_failed(person, context);
            }
            self.sessions[index] = Some(Session { last_micros: micros, context: context.clone() });
            return login(random, person, context);
        };
        session.last_micros = micros;
        let context = session.context.clone();
        let menu = &self.menus.iter().find(|(duty, _)| *duty == person.duty).expect("a menu for each duty").1;
        let mut action = menu.pick(random);
        let mut outcome = Outcome::Success;
        if random.chance(DENIED_PER_MILLE) {
            // A denied attempt is at something that this person may not do.
            action = self.restricted.pick(random);
            outcome = if action.by == By::Only(person.duty) { Outcome::Success } else { Outcome::Denied };
        } else if random.chance(FAILED_PER_MILLE) {
            outcome = Outcome::Failure;
        }
        if action.name != "user.logout" {
            self.sessions[index] = Some(session);
        }
        let person = &self.people[index];
        self.draft(random, action, person.actor.clone(), Some(index)).from(context).with_outcome(outcome)
    }

    /// Somebody who is in the middle of something, or somebody else who begins.
    fn who(&mut self, random: &mut Random, micros: i64) -> usize {
        let suspended = self.suspended.filter(|(_, since)| micros >= *since).map(|(index, _)| index);
        let busy = |index: usize| {
            let session = self.sessions[index].as_ref();
            suspended != Some(index)
                && session.is_some_and(|session| micros - session.last_micros < SESSION_IDLE_MICROS)
        };
        if !self.active.is_empty() && random.chance(STAYS_PER_MILLE) {
            let index = *random.pick(&self.active);
            if busy(index) {
                return index;
            }
            self.active.retain(|other| *other != index);
        }
        let mut index = self.awake_person(random, micros);
        if suspended == Some(index) {
            index = (index + 1) % self.people.len();
        }
        if !self.active.contains(&index) {
            if self.active.len() == ACTIVE_PEOPLE_MAX {
                self.active.remove(0);
            }
            self.active.push(index);
        }
        index
    }

    /// Somebody whose clock shows a likely hour; some people act much more than others.
    fn awake_person(&self, random: &mut Random, micros: i64) -> usize {
        for _ in 0..6 {
            let index = random.zipf(self.people.len());
            let local = micros + self.people[index].zone_hours * HOUR_MICROS;
            if random.unit() < Self::busyness(local) + 0.02 {
                return index;
            }
        }
        random.zipf(self.people.len())
    }

    fn service_acts(&mut self, random: &mut Random) -> Draft {
        let total: u32 = self.service_weights.iter().sum();
        let mut point = random.below(u64::from(total)) as u32;
        let mut index = 0;
        while point >= self.service_weights[index] {
            point -= self.service_weights[index];
            index += 1;
        }
        let action = self.service_menus[index].pick(random);
        let service = &self.services[index];
        let outcome = if random.chance(18) { Outcome::Failure } else { Outcome::Success };
        let mut draft = self
            .draft(random, action, service.actor.clone(), None)
            .from(service.context())
            .with_outcome(outcome);
        draft.source = match service.role {
            ServiceRole::Directory => "scim",
            ServiceRole::Deploy => "ci",
            ServiceRole::ApiKey => "api",
            ServiceRole::Scheduler => "scheduler",
            ServiceRole::Backup | ServiceRole::Sync => "worker",
        };
        draft
    }

    /// The event of an action with what it is done to, and what it changed.
    pub(crate) fn draft(
        &self,
        random: &mut Random,
        action: &Action,
        actor: crate::draft::Actor,
        own: Option<usize>,
    ) -> Draft {
        let (id, name) = self.target(random, action, own);
        let description = format!("{} {} {name}", actor.name, action.verb);
        let draft = Draft::new(action.name, actor, description).on(action.target, id, name);
        details(random, action.name, draft)
    }

    fn target(&self, random: &mut Random, action: &Action, own: Option<usize>) -> (String, String) {
        let numbered = |random: &mut Random, prefix: &str, names: &[&str], many: u64| {
            let name = *random.pick(names);
            let number = random.zipf(many as usize);
            (format!("{prefix}_{:06x}", number as u64 * 7_919 + name.len() as u64 * 31), name.to_owned())
        };
        match action.target {
            "user" => {
                let itself = own.filter(|_| action.by == By::Anyone);
                let person =
                    &self.people[itself.unwrap_or_else(|| random.below(self.people.len() as u64) as usize)];
                (person.actor.id.clone(), person.actor.name.clone())
            }
            "document" => {
                let (id, name) = numbered(random, "doc", &DOCUMENTS, 900);
                (id, format!("{name} {}", random.pick(&PROJECTS)))
            }
            "customer" => numbered(random, "cus", &CUSTOMERS, 400),
            "project" => {
                let index = random.zipf(PROJECTS.len());
                (format!("prj_{index:02}"), PROJECTS[index].to_owned())
            }
            "role" => {
                let index = random.below(ROLES.len() as u64) as usize;
                (format!("r_{}", index + 1), ROLES[index].to_owned())
            }
            "group" => {
                let index = random.below(GROUPS.len() as u64) as usize;
                (format!("g_{}", index + 1), GROUPS[index].to_owned())
            }
            "invoice" => {
                let number = 20_000 + random.zipf(6_000);
                (format!("inv_{number}"), format!("INV-{number}"))
            }
            "report" => numbered(random, "rep", &REPORTS, 12),
            "secret" => {
                let name = *random.pick(&SECRETS);
                (format!("sec_{}", name.replace('/', "-")), name.to_owned())
            }
            "integration" => {
                let name = *random.pick(&INTEGRATIONS);
                (name.to_ascii_lowercase(), name.to_owned())
            }
            "api_key" => {
                (format!("key_{}", random.hex(8)), format!("{}-key", random.pick(&PROJECTS).to_lowercase()))
            }
            "webhook" => (format!("wh_{}", random.hex(8)), "hooks.example.com".to_owned()),
            "session" => (format!("s_{}", random.hex(12)), "a session".to_owned()),
            "settings" => ("workspace".to_owned(), "the workspace".to_owned()),
            "sso_connection" => ("sso_main".to_owned(), "SAML".to_owned()),
            "customer_list" => ("cus_all".to_owned(), "the customer list".to_owned()),
            "audit_log" => ("audit".to_owned(), "the audit log".to_owned()),
            "service" => {
                let name = ["api", "web", "worker", "billing"][random.below(4) as usize];
                (format!("app_{name}"), name.to_owned())
            }
            "database" => ("db_primary".to_owned(), "primary".to_owned()),
            _ => {
                let name = ["orders", "events", "accounts"][random.below(3) as usize];
                (format!("ds_{name}"), name.to_owned())
            }
        }
    }
}

/// The moment `seconds` later.
pub(crate) const fn later(micros: i64, seconds: i64) -> i64 {
    micros + seconds * SECOND_MICROS
}
