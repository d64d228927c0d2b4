/** Believable events, the same for the same seed and time. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const person = (name, at) => ({ type: 'user', id: `u_${at + 1}`, name, email: `${name.split(' ')[0].toLowerCase()}@northwind.example` });
const PEOPLE = ['Ada Lovelace', 'Grace Hopper', 'Katherine Johnson', 'Alan Turing', 'Barbara Liskov', 'Edsger Dijkstra', 'Radia Perlman', 'Margaret Hamilton', 'Tony Hoare', 'Frances Allen', 'Kay McNulty', 'Leslie Lamport'].map(person);
const MACHINES = [{ type: 'api_key', id: 'key_ci', name: 'ci-deploy' }, { type: 'service', id: 'okta-scim', name: 'Okta SCIM' }];
const UNKNOWN = { type: 'unknown', id: 'unknown' };
const STAFF = { type: 'staff', id: 'st_9', name: 'Support · J. Ortiz' };
const ACTIONS = [
  ['user.login', 'session'], ['document.viewed', 'document'], ['document.shared', 'document'], ['role.updated', 'role'], ['member.invited', 'member'], ['api_key.rotated', 'api_key'],
  ['export.requested', 'export'], ['secret.read', 'secret'], ['deployment.created', 'deployment'], ['webhook.created', 'webhook'], ['member.deprovisioned', 'member'],
  ['sso.connection.updated', 'sso_connection'], ['policy.mfa.enforced', 'policy'], ['project.deleted', 'project'],
];
const NAMES = {
  session: ['grace@northwind.example', 'ada@northwind.example'], document: ['SOC 2 evidence', 'Board deck', 'Roadmap', 'Pricing model'], role: ['Billing admin', 'Auditor', 'Support agent'],
  member: ['kay@northwind.example', 'tony@northwind.example'], api_key: ['prod-ingest', 'staging-ingest'], export: ['Q3 access review'], secret: ['STRIPE_KEY', 'SMTP_PASSWORD'], deployment: ['web@4f21c', 'api@9be07'],
  webhook: ['hooks.northwind.example'], sso_connection: ['Okta (SAML)'], policy: ['Require MFA'], project: ['legacy-import', 'atlas'],
};
const PLACES = ['San Francisco, US', 'Paris, FR', 'Berlin, DE', 'Montréal, CA'];
const AGENT = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';

const CHANGES = [
  { field: 'permissions', before: ['invoices.read', 'invoices.list'], after: ['invoices.read', 'invoices.refund', 'invoices.void'] },
  { field: 'max_refund_usd', before: 500, after: 25000 },
  { field: 'requires_mfa', before: true, after: false },
  { field: 'description', before: 'People who may see invoices and nothing else in the billing area.', after: 'People who may see and refund invoices, and nothing else in billing.' },
  { field: 'webhook_secret', before: 'whsec_old', after: 'whsec_new' },
  { field: 'owner', before: { team: 'billing', region: 'eu' }, after: { team: 'billing', region: 'us' } },
];

/** `count` events of 90 days before `now`, more of them in working hours, oldest first. */
export function northwind(count, now, tenant = 'northwind') {
  let seed = 20261123;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const pick = (list, skew = 1.6) => list[Math.floor(random() ** skew * list.length)];
  const times = [];
  while (times.length < count) {
    const at = now - Math.floor(random() ** 1.15 * 90 * DAY_MS) - 60_000;
    const hour = new Date(at).getUTCHours();
    if (random() < (hour > 6 && hour < 19 ? 1 : 0.22)) times.push(at);
  }
  times.sort((a, b) => a - b);
  return times.map((at, i) => event(at, i));

  function event(at, i) {
    const [action, type] = pick(ACTIONS);
    let actor = random() < 0.82 ? pick(PEOPLE) : random() < 0.95 ? pick(MACHINES) : STAFF;
    const attack = action === 'user.login' && now - at > 26 * HOUR_MS && now - at < 27 * HOUR_MS;
    const denied = action === 'user.login' && (attack || random() < 0.03);
    if (denied) actor = UNKNOWN;
    const outcome = denied ? 'denied' : random() < 0.006 ? 'failure' : undefined;
    const name = pick(NAMES[type], 1.2);
    return {
      id: `evt_${String(i).padStart(8, '0')}`, tenant, occurred_at: new Date(at).toISOString(), action, ...(outcome && { outcome }), actor,
      targets: [{ type, id: name.toLowerCase().replace(/\W+/g, '_'), name }],
      context: { ip: `203.0.113.${Math.floor(random() * 250)}`, user_agent: AGENT, location: pick(PLACES), session_id: `ses_${Math.floor(i / 6)}`, request_id: `req_${Math.floor(i / 2)}` },
      source: pick(['billing-api', 'identity', 'documents']),
      ...(denied && { reason: 'Wrong second factor' }),
      ...(action === 'role.updated' && { changes: CHANGES }),
      ...(random() < 0.3 && { tags: { severity: pick(['low', 'high']) } }),
      metadata: { plan: pick(['pro', 'free']), request: { bytes: Math.floor(random() * 5000) } },
    };
  }
}

/** What somebody would write to break a log viewer. */
export function hostile(now, tenant = 'hostile') {
  const at = (minutes) => new Date(now - minutes * 60_000).toISOString();
  const script = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
  return [
    {
      id: 'evil-1', tenant, occurred_at: at(1), action: 'document.updated', description: `${script} was here`,
      actor: { type: 'user', id: 'javascript:alert(1)', name: `${script}`, email: 'x@example.com' },
      targets: [{ type: 'document', id: '"><svg onload=window.pwned=1>', name: '=HYPERLINK("http://evil.example","open")' }],
      context: { ip: '203.0.113.9', user_agent: script, location: script, request_id: "';window.pwned=1;//" },
      changes: [{ field: `<b>${script}`, before: script, after: `${script}!` }], tags: { note: '+cmd|calc' }, metadata: { '<i>k</i>': script, formula: '@SUM(1)' },
    },
    { id: 'evil-2', tenant, occurred_at: at(2), action: 'file.shared', actor: { type: 'user', id: 'u2', name: 'invoice\u202Efdp.exe' }, targets: [{ type: 'file', id: 'f', name: '=1+1' }] },
    { id: 'evil-3', tenant, occurred_at: at(3), action: 'file.shared', actor: { type: 'user', id: 'u3', name: '-2+3' }, targets: [{ type: 'file', id: 'f', name: '@cmd' }], description: '\u2066hidden\u2069 \u202Eright to left' },
  ];
}
