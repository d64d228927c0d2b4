//! Reading through [`recount_store::TenantLog`]: every answer equals the naive one over all lines,
//! whatever the log's parts are and whatever happens to them meanwhile.

mod corruption;
mod counts;
mod events;
mod fairness;
mod feed;
mod harness;
mod large;
mod lists;
mod many_blocks;
mod moving;
