// The element asks for a token when it has none, and again when one was refused. The page's own
// server makes it: only that knows who is signed in, and only that has the key.
const log = document.querySelector('recount-log');

log.fetchSession = async () => {
  const response = await fetch('/recount-session', { method: 'POST' });
  if (!response.ok) throw new Error(`no session: ${response.status}`);
  return (await response.json()).token;
};

log.addEventListener('recount-event-opened', ({ detail }) => {
  document.title = detail ? `${detail.title} · Acme Projects` : 'Audit log · Acme Projects';
});
