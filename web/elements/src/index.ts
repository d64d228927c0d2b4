/** All elements of Recount. Importing this module defines them. */
export * from './log.js';
export { RecountExports } from './exports/recount-exports.js';
export { RecountKeys } from './keys/recount-keys.js';
export { RecountStreams } from './streams/recount-streams.js';
export { RecountPortal } from './portal/recount-portal.js';
export { LinkState } from './portal/link-state.js';
