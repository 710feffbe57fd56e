//! The service from outside: a store in memory whose disk is in the test's hand, workflows without guests, and requests
//! without a network wherever that is enough.

mod coverage;
mod durability;
mod imports;
mod overload;
mod problems;
mod real;
mod serve;
mod world;
