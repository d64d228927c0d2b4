/** Icons as single paths on a 24 px grid. Shapes from Lucide and Feather (icons.LICENSE). */
import { html, type TemplateResult } from 'lit';

export const circle = (x: number, y: number, r: number) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0-${2 * r} 0`;
export const box = (x: number, y: number, w: number, h: number, r = 2) =>
  `M${x + r} ${y}h${w - 2 * r}a${r} ${r} 0 0 1 ${r} ${r}v${h - 2 * r}a${r} ${r} 0 0 1-${r} ${r}h-${w - 2 * r}a${r} ${r} 0 0 1-${r}-${r}v-${h - 2 * r}a${r} ${r} 0 0 1 ${r}-${r}z`;

const paths = {
  search: `m21 21-4.34-4.34${circle(11, 11, 8)}`,
  x: 'M18 6 6 18m0-12 12 12',
  calendar: `M8 2v3m8-3v3M3 9h18${box(3, 3, 18, 18)}`,
  down: 'm6 9 6 6 6-6',
  up: 'm18 15-6-6-6 6',
  download: 'M12 15V3m9 12v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4m4-5 5 5 5-5',
  filter: 'M2 5h20M6 12h12M9 19h6',
  key: `m21 2-9.6 9.6m4.1-4.1 3 3L22 7l-3-3${circle(7.5, 15.5, 5.5)}`,
  system: 'M23 4v6h-6M1 20v-6h6M3.5 9a9 9 0 0 1 14.9-3.4L23 10M1 14l4.6 4.4A9 9 0 0 0 20.5 15',
} as const;

export type IconName = keyof typeof paths;

/** Draws a path of the icon grid; names next to it carry the meaning, so it is hidden from assistive technology. */
export const drawIcon = (d: string): TemplateResult =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${d}></path></svg>`;

/** One icon of the set that the log needs. */
export const icon = (name: IconName): TemplateResult => drawIcon(paths[name]);
