#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod agreement;
mod group;
mod partial;
mod shards;
mod threads;
#[cfg(feature = "mpi")]
mod world;

pub use group::{Alone, Group, GroupError};
pub use shards::Shards;
pub use threads::Threads;
#[cfg(feature = "mpi")]
pub use world::World;
