/** The styles that the first rows of the log do not need; a module of their own, so that they come later. */
import { css } from 'lit';

/** What forms, menus and dialogs need beyond the controls. */
export const forms = css`
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
  .hint { color: var(--_muted); font-size: 0.925em; line-height: 18px; }
  .mistake { color: var(--_danger); font-size: 0.925em; line-height: 18px; }
  fieldset { border: 0; margin: 0; padding: 0; min-inline-size: 0; }
  legend { padding: 0; }

  .seg { display: inline-flex; padding: 2px; border: 1px solid var(--_border); border-radius: var(--_radius); background: var(--_bg); }
  .seg button {
    min-block-size: 24px; padding: 0 9px; border: 0; border-radius: calc(var(--_radius) - 3px);
    background: none; color: var(--_muted); cursor: pointer; white-space: nowrap;
  }
  .seg button[aria-pressed='true'], .seg button[aria-checked='true'] { background: var(--_surface); color: var(--_fg); font-weight: 500; box-shadow: inset 0 0 0 1px var(--_border); }

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
