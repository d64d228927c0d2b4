/** The icons that are not needed for the first rows of the log. Shapes from Lucide and Feather (icons.LICENSE). */
import { box, circle, drawIcon, icon as basicIcon, type IconName } from './icons.js';

const paths = {
  bookmark: 'm19 21-7-5-7 5V5a2 2 0 0 1 2-2h10a2 2 0 0 1 2 2z',
  columns: `${box(3, 3, 18, 18)}M9 3v18M15 3v18`,
  rows: `${box(3, 3, 18, 18)}M21 9H3m18 6H3`,
  link: 'M10 13a5 5 0 0 0 7.5.5l3-3a5 5 0 0 0-7-7l-1.8 1.7M14 11a5 5 0 0 0-7.5-.5l-3 3a5 5 0 0 0 7 7l1.8-1.7',
  copy: `${box(8, 8, 14, 14)}M4 16c-1.1 0-2-.9-2-2V4c0-1.1.9-2 2-2h10c1.1 0 2 .9 2 2`,
  check: 'M20 6 9 17l-5-5',
  offline: 'M22.6 17A5 5 0 0 0 18 10h-1.3a8 8 0 0 0-7-6M5 5a8 8 0 0 0 4 15h9a5 5 0 0 0 1.7-.3M2 2l20 20',
  plus: 'M5 12h14m-7-7v14',
  minus: 'M5 12h14',
  trash: 'M3 6h18m-2 0v14a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V6m3 0V4a2 2 0 0 1 2-2h4a2 2 0 0 1 2 2v2',
  lock: `${box(3, 11, 18, 11)}M7 11V7a5 5 0 0 1 10 0v4`,
  star: 'm12 2 3.1 6.3 6.9 1-5 4.9 1.2 6.8-6.2-3.2L5.8 21 7 14.2l-5-5 6.9-1z',
  inbox: 'M22 12h-6l-2 3h-4l-2-3H2l4-8h12l4 8v8H2v-8',
  alert: `${circle(12, 12, 10)}M12 8v4m0 4h.01`,
} as const;

/** One icon of all. */
export const icon = (name: IconName | keyof typeof paths) => (name in paths ? drawIcon(paths[name as keyof typeof paths]) : basicIcon(name as IconName));
