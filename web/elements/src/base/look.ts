/** Colours, type and controls that the first rows need. Colour has meaning or is not used. */
import { css } from 'lit';

/**
 * The theme: every `--recount-*` property a host may set, and what it becomes. Colours used for text
 * are clamped in lightness, so that a brand colour stays readable on both grounds.
 */
export const theme = css`
  :host {
    --_bg: var(--recount-bg, light-dark(#fff, #0d0f13));
    --_surface: var(--recount-surface, light-dark(#f6f7f9, #14171d));
    --_raised: var(--recount-raised, light-dark(#fff, #171b22));
    --_fg: var(--recount-fg, light-dark(#15181e, #e9ebf0));
    --_muted: light-dark(
      oklch(from var(--recount-muted, #5a6170) min(l, 0.5) c h),
      oklch(from var(--recount-muted, #9aa2b1) max(l, 0.7) c h)
    );
    --_border: var(--recount-border, light-dark(#e2e5ea, #242932));
    --_control: var(--recount-control-border, light-dark(#ccd1d9, #343b47));
    --_accent-fill: var(--recount-accent, light-dark(#2f62d9, #4c7dff));
    --_accent: light-dark(
      oklch(from var(--_accent-fill) min(l, 0.48) c h),
      oklch(from var(--_accent-fill) max(l, 0.78) min(c, 0.14) h)
    );
    --_accent-solid: oklch(from var(--_accent-fill) min(l, 0.55) c h);
    --_accent-soft: color-mix(in oklab, var(--_accent-fill) 13%, var(--_bg));
    --_bar: color-mix(in oklab, var(--_accent-fill) 44%, var(--_bg));
    --_danger: light-dark(
      oklch(from var(--recount-danger, #b3202c) min(l, 0.5) c h),
      oklch(from var(--recount-danger, #ff8a8f) max(l, 0.74) c h)
    );
    --_danger-soft: color-mix(in oklab, var(--_danger) 13%, var(--_bg));
    --_ok: light-dark(
      oklch(from var(--recount-ok, #0c7443) min(l, 0.48) c h),
      oklch(from var(--recount-ok, #5fd39b) max(l, 0.74) c h)
    );
    --_warn: light-dark(
      oklch(from var(--recount-warn, #8a5300) min(l, 0.48) c h),
      oklch(from var(--recount-warn, #f0b35a) max(l, 0.76) c h)
    );
    --_shadow: light-dark(rgb(16 24 40 / 0.13), rgb(0 0 0 / 0.55));
    --_radius: var(--recount-radius, 8px);
    --_mono: var(--recount-mono, ui-monospace, 'SF Mono', 'JetBrains Mono', 'Cascadia Code', Menlo, Consolas, monospace);
    display: block;
    color: var(--_fg);
    background: var(--_bg);
    font-family: var(--recount-font, inherit);
    font-size: var(--recount-font-size, 13px);
    line-height: 20px;
    font-variant-numeric: tabular-nums;
    -webkit-font-smoothing: antialiased;
  }
  :host([hidden]) { display: none; }
  :host([theme='light']) { color-scheme: light; }
  :host([theme='dark']) { color-scheme: dark; }
  :host([theme='auto']) { color-scheme: light dark; }
`;

export const controls = css`
  *, ::before, ::after { box-sizing: border-box; }
  h1, h2, h3, p, dl, dd, ul, ol, pre, figure, table { margin: 0; padding: 0; }
  ul, ol { list-style: none; }
  button, input, select, textarea { font: inherit; color: inherit; letter-spacing: inherit; margin: 0; }
  a { color: var(--_accent); text-underline-offset: 2px; }
  code, .mono { font-family: var(--_mono); font-size: 0.925em; font-variant-ligatures: none; }
  bdi { unicode-bidi: isolate; }
  .muted { color: var(--_muted); }
  .danger { color: var(--_danger); }
  .warn { color: var(--_warn); }
  .icon {
    inline-size: 16px; block-size: 16px; flex: none;
    fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round;
  }
  .sr {
    position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden;
    clip-path: inset(50%); white-space: nowrap;
  }
  .row { display: flex; align-items: center; gap: 8px; }
  .grow { flex: 1; min-inline-size: 0; }
  .clip { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .any { overflow-wrap: anywhere; }

  .btn {
    display: inline-flex; align-items: center; justify-content: center; gap: 8px;
    min-block-size: 38px; padding: 0 13px;
    border: 1px solid var(--_border); border-radius: var(--_radius);
    background: var(--_raised); color: var(--_fg); font-weight: 500;
    white-space: nowrap; cursor: pointer; text-decoration: none;
  }
  .btn:hover { border-color: var(--_control); background: var(--_surface); }
  .btn[aria-pressed='true'], .btn.on { border-color: var(--_accent); color: var(--_accent); background: var(--_accent-soft); }
  .btn:disabled { opacity: 0.55; cursor: default; }
  .btn.small { min-block-size: 30px; padding: 0 10px; gap: 6px; }
  .btn.primary { background: var(--_accent-solid); border-color: transparent; color: #fff; }
  .btn.primary:hover { filter: brightness(1.08); }
  .btn.ghost { border-color: transparent; background: none; }
  .btn.ghost:hover { background: var(--_surface); }
  .link {
    border: 0; padding: 0; background: none; color: var(--_accent); font-weight: 500;
    text-decoration: underline; text-underline-offset: 2px; cursor: pointer;
  }
  :focus { outline: none; }
  :focus-visible { outline: 2px solid var(--_accent); outline-offset: 1px; }

  kbd {
    display: inline-block; min-inline-size: 20px; padding: 0 5px; text-align: center;
    font: inherit; font-size: 0.85em; line-height: 18px; color: var(--_muted);
    border: 1px solid var(--_border); border-radius: 4px; background: var(--_surface);
  }
  .hint, .mistake { color: var(--_muted); font-size: 0.925em; line-height: 18px; }
  .mistake { color: var(--_danger); }
  .tag {
    display: inline-flex; align-items: center; gap: 4px; padding: 0 6px; border: 1px solid; border-radius: 4px;
    font-size: 0.85em; line-height: 18px; font-weight: 500; white-space: nowrap;
  }
  .dot { inline-size: 7px; block-size: 7px; border-radius: 50%; background: currentColor; flex: none; }

  .item {
    display: flex; align-items: center; gap: 8px; inline-size: 100%; min-block-size: 32px; padding: 2px 8px;
    border: 0; border-radius: calc(var(--_radius) - 3px); background: none; text-align: start; cursor: pointer;
  }
  .item:hover, .item:focus-visible, .item[aria-selected='true'] { background: var(--_accent-soft); outline-offset: -2px; }
  @media (prefers-reduced-motion: reduce) {
    *, ::before, ::after { animation: none !important; transition: none !important; }
  }
`;
