/**
 * Long names of members that only the bundle itself knows: Lit's, and those of our inner pieces. The build writes
 * short ones, in code, in templates' bindings and in strings alike, so a name here must mean one thing everywhere:
 * none of the browser's, of the API's, or of what a host page may set or hear.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const LIT = `addController addInitializer createProperty createRenderRoot creationScope elementProperties elementStyles
  enableUpdating finalizeStyles firstUpdated fromAttribute getPropertyDescriptor getPropertyOptions getUpdateComplete
  hasChanged hasUpdated hostConnected hostDisconnected hostUpdate hostUpdated isUpdatePending noAccessor performUpdate
  removeController renderBefore renderOptions renderRoot requestUpdate scheduleUpdate shadowRootOptions shouldUpdate
  toAttribute useDefault willUpdate`;
const OURS = `activeEvent askReload atTop columnsMenu confirmCopy copyText countedIn createDialog deleteDialog emitError
  exportDialog failureNote filterBar focusActive inRange lostPlace openColumns openExport openHelp openMissing openPick
  overrideDialog pickMenu replayDialog revokeDialog rowsMax savedViews scrollToTop sessionChanged timeAt timeField
  useToken withValue zoneLabel`;
const LETTERS = [...'etnrioaslucdfmphgbyvwxkjzqETNRIOASLUCDFMPHGBYVWXKJZQ'];

const here = path.dirname(fileURLToPath(import.meta.url));
const read = (folder, kind) => readdirSync(path.join(here, folder), { recursive: true })
  .filter((name) => kind.test(name)).map((name) => readFileSync(path.join(here, folder, name), 'utf8')).join('\n');

/** Gives the function that shortens the names in a module's code. */
export function shortNames() {
  const names = `${LIT} ${OURS}`.split(/\s+/);
  const short = new Map(names.map((name, i) => [name, '_$'[Math.floor(i / LETTERS.length)] + LETTERS[i % LETTERS.length]]));
  const sources = read('../elements/src', /\.ts$/);
  const told = read('../../docs', /embedding\.md$/) + read('../react/src', /\.ts$/) + read('../portal', /\.ts$/);
  for (const name of names) {
    if (told.includes(name)) throw new Error(`${name} is known outside of the elements and can’t be shortened`);
    if (OURS.includes(name) && !sources.includes(name)) throw new Error(`${name} is not a name of the elements any more`);
  }
  const all = new RegExp(`\\b(?:${names.join('|')})\\b`, 'g');
  return (code) => code.replace(all, (name) => short.get(name));
}
