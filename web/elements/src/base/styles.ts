/** Colours, type and controls that all elements share. */
import { css } from 'lit';

export { controls, theme } from './look.js';

/** What forms, menus, dialogs and states need beyond the controls. */
export const forms = css`
  :host {
    --_ok-soft: color-mix(in oklab, var(--_ok) 13%, var(--_bg));
    --_warn-soft: color-mix(in oklab, var(--_warn) 13%, var(--_bg));
  }
  .ok { color: var(--_ok); }
  h1, h2 { font-size: 1.23em; line-height: 24px; font-weight: 600; }
  h3 { font-size: 1em; font-weight: 600; }
  /* English in a page from right to left: in its own order, on the page's side. */
  p, dd, td, small, .hint { unicode-bidi: plaintext; text-align: match-parent; text-align: -webkit-match-parent; }
  .wrap { flex-wrap: wrap; }
  .note {
    display: flex; align-items: flex-start; gap: 10px; padding: 9px 12px; border: 1px solid var(--_border);
    border-radius: var(--_radius); background: var(--_surface);
  }
  .note .icon { margin-block-start: 2px; }
  .note.bad { border-color: var(--_danger); background: var(--_danger-soft); }
  .note.wary { border-color: var(--_warn); background: var(--_warn-soft); }
  .note.good { border-color: var(--_ok); background: var(--_ok-soft); }

  .state { display: grid; justify-items: center; align-content: center; gap: 8px; padding: 48px 24px; text-align: center; min-block-size: 240px; }
  .state > .icon { inline-size: 28px; block-size: 28px; color: var(--_muted); stroke-width: 1.4; margin-block-end: 4px; }
  .state p { max-inline-size: 56ch; color: var(--_muted); text-wrap: pretty; }
  .state .row { flex-wrap: wrap; justify-content: center; margin-block-start: 8px; }
  .btn.square { inline-size: 38px; padding: 0; }
  .btn.small.square { inline-size: 30px; }
  .btn.destructive { color: var(--_danger); }
  .btn.destructive:hover { background: var(--_danger-soft); border-color: var(--_danger); }

  .input {
    inline-size: 100%; min-block-size: 34px; padding: 0 10px;
    border: 1px solid var(--_control); border-radius: calc(var(--_radius) - 2px);
    background: var(--_bg); color: var(--_fg);
  }
  textarea.input { padding: 8px 10px; }
  .input::placeholder { color: var(--_muted); opacity: 1; }
  .input[aria-invalid='true'] { border-color: var(--_danger); }
  .input:focus-visible { outline-offset: 0; }
  .check { display: flex; align-items: center; gap: 8px; min-block-size: 30px; cursor: pointer; }
  input[type='checkbox'], input[type='radio'] { accent-color: var(--_accent-solid); inline-size: 15px; block-size: 15px; flex: none; }
  .field { display: grid; gap: 4px; align-content: start; }
  .field > span:first-child, .legend { font-weight: 500; }
  fieldset { border: 0; margin: 0; padding: 0; min-inline-size: 0; }
  legend { padding: 0; }

  .seg { display: inline-flex; padding: 2px; border: 1px solid var(--_border); border-radius: var(--_radius); background: var(--_bg); }
  .seg button {
    min-block-size: 24px; padding: 0 9px; border: 0; border-radius: calc(var(--_radius) - 3px);
    background: none; color: var(--_muted); cursor: pointer; white-space: nowrap;
  }
  .seg [aria-pressed='true'] { background: var(--_surface); color: var(--_fg); font-weight: 500; box-shadow: inset 0 0 0 1px var(--_border); }

  [popover] {
    position: fixed; inset: auto; margin: 0; padding: 6px; overflow: auto; max-inline-size: calc(100vw - 16px);
    color: var(--_fg); background: var(--_raised);
    border: 1px solid var(--_control); border-radius: var(--_radius);
    box-shadow: 0 6px 24px var(--_shadow);
  }
  .rule { block-size: 1px; margin: 6px 0; background: var(--_border); border: 0; }

  dialog {
    inline-size: min(520px, calc(100vw - 32px)); max-block-size: calc(100dvh - 48px); padding: 20px;
    color: var(--_fg); background: var(--_raised); border: 1px solid var(--_control); border-radius: calc(var(--_radius) + 4px);
    box-shadow: 0 16px 48px var(--_shadow);
  }
  dialog::backdrop { background: rgb(13 15 19 / 0.4); }
  dialog > form, .stack { display: grid; gap: 16px; }
  .actions { display: flex; justify-content: flex-end; gap: 8px; flex-wrap: wrap; }
`;
