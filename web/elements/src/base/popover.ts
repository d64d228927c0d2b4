/** Places a native popover beside the control that opens it, inside the viewport. */

const GAP_PX = 4;
const MARGIN_PX = 8;

/** Opens `panel` below `anchor` (above if there is no room), aligned to its start or end edge. */
export function openPopover(panel: HTMLElement, anchor: Element | DOMRect, align: 'start' | 'end' = 'start'): void {
  panel.showPopover();
  const at = anchor instanceof DOMRect ? anchor : anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const leftAligned = (align === 'start') === (getComputedStyle(panel).direction !== 'rtl');
  const left = leftAligned ? at.left : at.right - width;
  const below = at.bottom + GAP_PX;
  const fits = below + height <= innerHeight - MARGIN_PX || at.top < innerHeight - at.bottom;
  const top = fits ? below : Math.max(MARGIN_PX, at.top - GAP_PX - height);
  panel.style.left = `${Math.max(MARGIN_PX, Math.min(left, document.documentElement.clientWidth - width - MARGIN_PX))}px`;
  panel.style.top = `${top}px`;
  panel.style.maxHeight = `${Math.max(160, innerHeight - top - MARGIN_PX)}px`;
}

/** Arrow keys between the items of a menu-like panel. */
export function moveInMenu(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const panel = event.currentTarget as HTMLElement;
  const items = [...panel.querySelectorAll<HTMLElement>('button:not(:disabled), input')];
  const active = (panel.getRootNode() as ShadowRoot).activeElement as HTMLElement;
  items.at((items.indexOf(active) + step) % items.length)?.focus();
  event.preventDefault();
}
