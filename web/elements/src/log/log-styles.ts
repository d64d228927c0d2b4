/** The layout of the log page: one column, or list and details side by side where there is room. */
import { css } from 'lit';
import { controls, theme } from '../base/look.js';

export const logStyles = [theme, controls, css`
  :host { container: recount-log / inline-size; position: relative; block-size: var(--recount-height, 720px); min-block-size: 360px; }
  .page { display: flex; flex-direction: column; gap: 12px; block-size: 100%; padding: var(--recount-padding, 16px 24px 0); }
  .toolbar { display: grid; grid-template-columns: minmax(0, 1fr) repeat(4, auto); gap: 8px; align-items: start; }
  .live .dot { color: var(--_muted); }
  .live.on .dot { color: var(--_ok); animation: pulse 2s infinite; }
  .live.lost .dot { color: var(--_warn); }
  @keyframes pulse { 50% { opacity: 0.35; } }
  .split { flex: 1; min-block-size: 0; display: grid; grid-template-columns: minmax(0, 1fr); }
  .main { display: flex; flex-direction: column; gap: 8px; min-block-size: 0; min-inline-size: 0; }
  .frame { position: relative; flex: 1; min-block-size: 0; border: 1px solid var(--_border); border-block-end: 0; border-radius: var(--_radius) var(--_radius) 0 0; overflow: hidden; background: var(--_bg); }
  recount-histogram:not(:defined) { block-size: 84px; } recount-status-line:not(:defined) { block-size: 34px; }
  recount-saved-views:not(:defined) { inline-size: 94px; block-size: 38px; border: 1px solid var(--_border); border-radius: var(--_radius); }
  recount-event-table { block-size: 100%; }
  recount-no-match, recount-problem { display: grid; block-size: 100%; overflow: auto; }
  .pill { position: absolute; inset-block-start: 66px; left: 50%; translate: -50%; border-radius: 999px; z-index: 3; }
  .end { padding: 16px; text-align: center; }
  .side { min-inline-size: 0; min-block-size: 0; display: grid; background: var(--_raised); }
  .skeleton { padding: 32px 12px; }
  .skeleton div { display: grid; grid-template-columns: 100px 1fr 1fr 1.6fr; gap: 24px; align-items: center; block-size: 36px; border-block-end: 1px solid var(--_border); }
  .skeleton i { block-size: 8px; max-inline-size: 75%; border-radius: 4px; background: var(--_border); animation: pulse 1.6s infinite; }

  @container recount-log (min-width: 1100px) {
    .split.opened { grid-template-columns: minmax(0, 1fr) minmax(380px, 31%); column-gap: 20px; }
    .split.opened .side { border: 1px solid var(--_border); border-block-end: 0; border-inline-end: 0; border-start-start-radius: 12px; overflow: hidden; margin-inline-end: var(--recount-side-bleed, -24px); margin-block-start: 2px; }
  }
  @container recount-log (max-width: 1099.9px) {
    .side { position: absolute; z-index: 8; inset: auto 0 0; block-size: min(86%, 100% - 48px); border-block-start: 1px solid var(--_control); border-radius: 14px 14px 0 0; overflow: hidden; box-shadow: 0 -8px 40px var(--_shadow); }
  }
  @container recount-log (max-width: 900px) {
    .page { padding-inline: var(--recount-padding-narrow, 16px); }
    .toolbar { grid-template-columns: minmax(0, 1fr) auto auto auto; }
    recount-filter-bar { grid-column: 1 / -1; }
  }
  @container recount-log (max-width: 520px) {
    .page { padding: 12px 12px 0; }
    .toolbar { grid-template-columns: repeat(3, minmax(0, 1fr)); }
    recount-time-field { grid-column: 1 / -1; }
    .toolbar > .btn { inline-size: 100%; }
  }
`];
