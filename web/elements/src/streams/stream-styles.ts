/** What the streams' pieces share beyond the page's styles. */
import { css } from 'lit';

export const streamStyles = css`
  .back { justify-self: start; margin-inline-start: -10px; color: var(--_muted); }
  .back .icon { rotate: -90deg; }
  .back:dir(rtl) .icon { rotate: 90deg; }
  .picker { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); gap: 12px; }
  .picker button { display: flex; gap: 14px; align-items: flex-start; inline-size: 100%; block-size: 100%; padding: 16px; text-align: start; cursor: pointer; border: 1px solid var(--_border); border-radius: var(--_radius); background: var(--_bg); }
  .picker button:hover { border-color: var(--_accent); background: var(--_accent-soft); }
  .picker .icon { inline-size: 20px; block-size: 20px; color: var(--_accent); }
  .picker button span { display: grid; gap: 2px; }
  .name { padding: 0; border: 0; background: none; font-weight: 500; text-align: start; cursor: pointer; }
  .name:hover { color: var(--_accent); text-decoration: underline; text-underline-offset: 2px; }
  .error { max-inline-size: 44ch; }
  .card { border: 1px solid var(--_border); border-radius: var(--_radius); background: var(--_bg); }
  .card > h2, .card > .cardhead { padding: 14px 16px 0; }
  .cardhead { display: flex; align-items: center; justify-content: space-between; gap: 12px; flex-wrap: wrap; }
  .card > .inner { padding: 12px 16px 16px; display: grid; gap: 12px; }
  form.grid { display: grid; gap: 16px; max-inline-size: 640px; }
  .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); border: 1px solid var(--_border); border-radius: var(--_radius); overflow: hidden; background: var(--_border); gap: 1px; }
  .facts > div { padding: 12px 16px; background: var(--_bg); }
  .facts dt { color: var(--_muted); }
  .facts dd { font-size: 1.23em; font-weight: 600; line-height: 26px; }
  .facts small { display: block; font-weight: 400; font-size: 0.75em; line-height: 18px; color: var(--_muted); }
  pre { padding: 10px 12px; border: 1px solid var(--_border); border-radius: 6px; background: var(--_surface); font-size: 0.885em; line-height: 18px; white-space: pre-wrap; overflow-wrap: anywhere; max-block-size: 220px; overflow: auto; }
  details summary { cursor: pointer; color: var(--_muted); }
  .config { display: grid; gap: 4px; }
  .config > div { display: grid; grid-template-columns: minmax(110px, 26%) 1fr; gap: 12px; }
  .config dt { color: var(--_muted); }
`;
