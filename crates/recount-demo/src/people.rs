//! The people, machines and service accounts of a company, made from a seed.

use crate::draft::{Actor, Context};
use crate::random::Random;

const FIRST_NAMES: [&str; 72] = [
    "Ada",
    "Adrian",
    "Aisha",
    "Akira",
    "Alejandra",
    "Amara",
    "Amelie",
    "Anders",
    "Anjali",
    "Antoine",
    "Beatriz",
    "Björn",
    "Camille",
    "Carlos",
    "Chiara",
    "Chidi",
    "Dalia",
    "Daniel",
    "Deepa",
    "Diego",
    "Ebba",
    "Elena",
    "Elif",
    "Emeka",
    "Emma",
    "Farah",
    "Felix",
    "Fatima",
    "Gabriel",
    "Grace",
    "Hana",
    "Hassan",
    "Hugo",
    "Ines",
    "Ingrid",
    "Ivan",
    "Jakub",
    "Jasmine",
    "Jonas",
    "Kaito",
    "Katarzyna",
    "Kwame",
    "Lars",
    "Leila",
    "Liam",
    "Lucía",
    "Mateo",
    "Mei",
    "Miriam",
    "Nadia",
    "Niamh",
    "Nikolai",
    "Noor",
    "Olga",
    "Omar",
    "Oskar",
    "Petra",
    "Priya",
    "Rafael",
    "Rosa",
    "Ruth",
    "Sanjay",
    "Sofia",
    "Stefan",
    "Tamar",
    "Thandiwe",
    "Tomás",
    "Ursula",
    "Viktor",
    "Wei",
    "Yusuf",
    "Zofia",
];

const LAST_NAMES: [&str; 84] = [
    "Abebe",
    "Acosta",
    "Adeyemi",
    "Ahmed",
    "Almeida",
    "Andersson",
    "Baker",
    "Banerjee",
    "Bauer",
    "Becker",
    "Bergström",
    "Bianchi",
    "Boateng",
    "Bondarenko",
    "Carvalho",
    "Castillo",
    "Chen",
    "Cohen",
    "Costa",
    "Dahl",
    "Demir",
    "Diallo",
    "Dubois",
    "Duran",
    "Eriksen",
    "Farrell",
    "Fernández",
    "Fischer",
    "Fontaine",
    "Fujita",
    "García",
    "Ghosh",
    "Greco",
    "Gupta",
    "Haddad",
    "Hansen",
    "Hoffmann",
    "Horvat",
    "Ibrahim",
    "Ito",
    "Jansen",
    "Jensen",
    "Kaplan",
    "Keller",
    "Khan",
    "Kim",
    "Kovács",
    "Larsen",
    "Laurent",
    "Lindqvist",
    "Lopez",
    "Malik",
    "Marino",
    "Martin",
    "Mbeki",
    "Mendoza",
    "Meyer",
    "Moreau",
    "Müller",
    "Nakamura",
    "Ndiaye",
    "Nguyen",
    "Novak",
    "O'Brien",
    "Okafor",
    "Olsen",
    "Papadopoulos",
    "Park",
    "Patel",
    "Pereira",
    "Petrov",
    "Rossi",
    "Sato",
    "Schneider",
    "Shapiro",
    "Silva",
    "Singh",
    "Suzuki",
    "Tanaka",
    "Torres",
    "Vargas",
    "Walsh",
    "Weber",
    "Yilmaz",
];

/// Cities with the hours by which their clocks are ahead of UTC (standard time).
const CITIES: [(&str, i64); 10] = [
    ("Berlin, DE", 1),
    ("Berlin, DE", 1),
    ("London, GB", 0),
    ("Paris, FR", 1),
    ("Warsaw, PL", 1),
    ("New York, US", -5),
    ("Toronto, CA", -5),
    ("São Paulo, BR", -3),
    ("Bengaluru, IN", 5),
    ("Tokyo, JP", 9),
];

const BROWSERS: [&str; 8] = [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
];

/// What a person may do; decides which actions they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Uses the product.
    Member,
    /// Keeps users, groups and settings.
    Admin,
    /// Works with customers' money.
    Finance,
    /// Builds integrations.
    Engineer,
    /// Watches over it all.
    Security,
}

/// Somebody who works there.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) actor: Actor,
    pub(crate) duty: Duty,
    /// Hours by which their clock is ahead of UTC.
    pub(crate) zone_hours: i64,
    pub(crate) city: &'static str,
    pub(crate) home_ip: String,
    pub(crate) office_ip: String,
    pub(crate) browser: &'static str,
    pub(crate) phone: &'static str,
}

impl Person {
    /// From where they work on that day: the office on most, home on others, a phone at times.
    pub(crate) fn context(&self, random: &mut Random, session: String) -> Context {
        let ip = if random.chance(620) { &self.office_ip } else { &self.home_ip };
        let user_agent = if random.chance(60) { self.phone } else { self.browser };
        Context {
            ip: ip.clone(),
            user_agent: user_agent.to_owned(),
            location: Some(self.city.to_owned()),
            session_id: Some(session),
        }
    }

    /// The same, from their office desk.
    pub(crate) fn desk(&self, session: &str) -> Context {
        Context {
            ip: self.office_ip.clone(),
            user_agent: self.browser.to_owned(),
            location: Some(self.city.to_owned()),
            session_id: Some(session.to_owned()),
        }
    }
}

/// Makes `count` people of a company. The first few hold the duties that every company has.
pub(crate) fn people(random: &mut Random, domain: &str, count: usize) -> Vec<Person> {
    let mut taken = std::collections::HashSet::new();
    let mut people = Vec::with_capacity(count);
    while people.len() < count {
        let (first, last) = (*random.pick(&FIRST_NAMES), *random.pick(&LAST_NAMES));
        if !taken.insert((first, last)) {
            continue;
        }
        let duty = match people.len() % 20 {
            1 => Duty::Admin,
            2 | 11 => Duty::Finance,
            3 | 4 | 13 => Duty::Engineer,
            7 if people.len() < 40 => Duty::Security,
            _ => Duty::Member,
        };
        people.push(person(random, first, last, domain, duty));
    }
    people
}

/// One person with this name.
pub(crate) fn person(random: &mut Random, first: &str, last: &str, domain: &str, duty: Duty) -> Person {
    let (city, zone_hours) = *random.pick(&CITIES);
    let office = CITIES.iter().position(|(name, _)| *name == city).unwrap_or(0);
    let actor = Actor {
        kind: "user",
        id: format!("u_{}", random.hex(10)),
        name: format!("{first} {last}"),
        email: Some(format!("{}.{}@{domain}", ascii(first), ascii(last))),
    };
    Person {
        actor,
        duty,
        zone_hours,
        city,
        home_ip: format!("198.18.{}.{}", random.below(256), random.between(2, 250)),
        // One address for each office, as behind its gateway.
        office_ip: format!("192.0.2.{}", 10 + office * 12 + random.below(3) as usize),
        browser: BROWSERS[random.below(6) as usize],
        phone: BROWSERS[6 + random.below(2) as usize],
    }
}

/// A name as it stands in an e-mail address.
fn ascii(name: &str) -> String {
    name.chars()
        .filter_map(|c| match c.to_ascii_lowercase() {
            'ö' => Some('o'),
            'ü' => Some('u'),
            'á' => Some('a'),
            'é' => Some('e'),
            'í' => Some('i'),
            c if c.is_ascii_alphanumeric() => Some(c),
            _ => None,
        })
        .collect()
}

/// A program that acts on its own.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) actor: Actor,
    pub(crate) ip: String,
    pub(crate) user_agent: &'static str,
    /// Index into the actions that services take.
    pub(crate) role: ServiceRole,
}

/// What a service is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceRole {
    Directory,
    Deploy,
    Backup,
    Sync,
    ApiKey,
    Scheduler,
}

impl Service {
    /// From where it acts.
    pub(crate) fn context(&self) -> Context {
        Context {
            ip: self.ip.clone(),
            user_agent: self.user_agent.to_owned(),
            location: None,
            session_id: None,
        }
    }
}

/// The services that every company runs.
pub(crate) fn services(random: &mut Random) -> Vec<Service> {
    let rows: [(ServiceRole, &'static str, &'static str, &'static str); 8] = [
        (ServiceRole::Directory, "service", "Okta SCIM", "Okta SCIM Client 1.0.0"),
        (ServiceRole::Deploy, "service", "CI deployer", "deployer/4.2 (+ci)"),
        (ServiceRole::Backup, "service", "Backup agent", "backup-agent/2.8.1"),
        (ServiceRole::Sync, "service", "Billing sync", "billing-sync/1.19 python-httpx/0.27"),
        (ServiceRole::Sync, "service", "CRM connector", "crm-connector/7.3"),
        (ServiceRole::ApiKey, "api_key", "data-warehouse", "dbt-runner/1.8 (warehouse)"),
        (ServiceRole::ApiKey, "api_key", "status-page", "Go-http-client/2.0"),
        (ServiceRole::Scheduler, "system", "Scheduler", "scheduler/1"),
    ];
    rows.into_iter()
        .map(|(role, kind, name, user_agent)| Service {
            actor: Actor {
                kind,
                id: match kind {
                    "api_key" => format!("key_{}", random.hex(8)),
                    "system" => "scheduler".to_owned(),
                    _ => format!("svc_{}", name.to_ascii_lowercase().replace(' ', "-")),
                },
                name: name.to_owned(),
                email: None,
            },
            ip: format!("100.64.{}.{}", random.below(16), random.between(2, 250)),
            user_agent,
            role,
        })
        .collect()
}
