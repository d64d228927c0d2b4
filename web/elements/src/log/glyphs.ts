/** The small marks of a row: who acted (by kind) and what the action does. */
import { css } from 'lit';

export const glyphs = css`
  .glyph {
    display: inline-grid; place-items: center; inline-size: 22px; block-size: 22px; flex: none; border-radius: 6px;
    font-size: 9.5px; font-weight: 600; line-height: 1; color: var(--_muted); background: var(--_surface); box-shadow: inset 0 0 0 1px var(--_border);
  }
  .glyph.person { border-radius: 50%; color: var(--_accent); background: var(--_accent-soft); box-shadow: none; }
  .glyph.staff { color: var(--_warn); }
  .glyph .icon { inline-size: 13px; block-size: 13px; }
  .kind { inline-size: 6px; block-size: 6px; border-radius: 1.5px; flex: none; background: var(--_muted); }
  .kind.create { background: var(--_ok); }
  .kind.update { background: var(--_accent-fill); }
  .kind.delete { background: var(--_danger); }
`;
