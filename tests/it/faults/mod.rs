//! What comes of a fault: every place where user code runs, and everything that can go wrong there.

mod actors;
mod curse;
mod page;
mod play;
mod rows;
mod table;
mod tell;
