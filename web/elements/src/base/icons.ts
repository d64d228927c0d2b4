/** Icons as single paths on a 24 px grid. Shapes from Lucide (ISC licence, © Lucide contributors). */
import { svg, html, type TemplateResult } from 'lit';

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
  key: `m15.5 7.5 2.3 2.3a1 1 0 0 0 1.4 0l2.1-2.1a1 1 0 0 0 0-1.4L19 4m2-2-9.6 9.6${circle(7.5, 15.5, 5.5)}`,
  system: 'M3 12a9 9 0 0 1 9-9 9.75 9.75 0 0 1 6.74 2.74L21 8m0-5v5h-5m5 4a9 9 0 0 1-9 9 9.75 9.75 0 0 1-6.74-2.74L3 16m5 0H3v5',
  staff: `${circle(12, 12, 10)}M4.93 4.93l4.24 4.24M14.83 9.17l4.24-4.24M14.83 14.83l4.24 4.24M9.17 14.83l-4.24 4.24${circle(12, 12, 4)}`,
} as const;

export type IconName = keyof typeof paths;

export const iconPath = (name: IconName): string => paths[name];

/** Draws a path of the icon grid; names next to it carry the meaning, so it is hidden from assistive technology. */
export const drawIcon = (d: string): TemplateResult =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${svg`<path d=${d}></path>`}</svg>`;

/** One icon of the set that the log needs. */
export const icon = (name: IconName): TemplateResult => drawIcon(paths[name]);
