//! What plux promises, tested through its public API; one file per topic.
//!
//! The name of a test carries the number of the promise in docs/semantics.md that it holds.

#[cfg(test)]
mod a02_add;
#[cfg(test)]
mod a02_again;
#[cfg(test)]
mod a02_let_go;
#[cfg(test)]
mod a02_remove;
#[cfg(test)]
mod a03_names;
#[cfg(test)]
mod a03_zero;
#[cfg(test)]
mod a04_nested;
#[cfg(test)]
mod asking;
#[cfg(test)]
mod c01_one_run;
#[cfg(test)]
mod c01_random;
#[cfg(test)]
mod c02_callbacks;
#[cfg(test)]
mod c02_errors;
#[cfg(test)]
mod c02_loads;
#[cfg(test)]
mod c02_outer;
#[cfg(test)]
mod c02_own_end;
#[cfg(test)]
mod c03_status;
#[cfg(test)]
mod c05_restart;
#[cfg(test)]
mod c06_calls;
#[cfg(test)]
mod c06_outside;
#[cfg(test)]
mod calling;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod d01_edges;
#[cfg(test)]
mod d02_refused;
#[cfg(test)]
mod d03_holds;
#[cfg(test)]
mod d03_wanted;
#[cfg(test)]
mod d04_stop;
#[cfg(test)]
mod d04_through;
#[cfg(test)]
mod d05_edges;
#[cfg(test)]
mod d05_reactions;
#[cfg(test)]
mod d06_alone;
#[cfg(test)]
mod d07_plans;
#[cfg(test)]
mod drop;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod filter_rules;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod find;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod functions_loading;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod load;
#[cfg(test)]
mod load_all;
#[cfg(test)]
mod name;
#[cfg(test)]
mod order;
#[cfg(test)]
mod p06_finders;
#[cfg(test)]
mod p08_required;
#[cfg(test)]
mod p12_conditions;
#[cfg(test)]
mod p13_reconsider;
#[cfg(test)]
mod p15_once;
#[cfg(test)]
mod p16_closed;
#[cfg(test)]
mod p18_random;
#[cfg(test)]
mod p23_limits;
#[cfg(test)]
mod p23_places;
#[cfg(test)]
mod p24_errors;
#[cfg(test)]
mod p25_given;
#[cfg(test)]
mod p26_ends;
#[cfg(test)]
mod p26_heard;
#[cfg(test)]
mod p29_own_loads;
#[cfg(test)]
mod p29_places;
#[cfg(test)]
mod panic;
#[cfg(test)]
mod peers_faults;
#[cfg(test)]
mod python_filters;
#[cfg(test)]
mod python_manager;
#[cfg(test)]
mod r01_ends;
#[cfg(test)]
mod r01_policies;
#[cfg(test)]
mod r03_at_once;
#[cfg(test)]
mod r03_backoff;
#[cfg(test)]
mod r05_giving_up;
#[cfg(test)]
mod r06_groups;
#[cfg(test)]
mod r07_group;
#[cfg(test)]
mod r08_cap;
#[cfg(test)]
mod r09_shutdown;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod s01_states;
#[cfg(test)]
mod s02_place;
#[cfg(test)]
mod s02_rollback;
#[cfg(test)]
mod s02_start;
#[cfg(test)]
mod s03_readiness;
#[cfg(test)]
mod s04_exits;
#[cfg(test)]
mod s04_runtime_ends;
#[cfg(test)]
mod s05_stop;
#[cfg(test)]
mod s05_stop_while_starting;
#[cfg(test)]
mod s06_again;
#[cfg(test)]
mod s06_by_hand;
#[cfg(test)]
mod s07_stopped;
#[cfg(test)]
mod s08_deadline;
#[cfg(test)]
mod s09_watchdog;
#[cfg(test)]
mod s10_health;
#[cfg(test)]
mod s11_spawn_at_the_end;
#[cfg(test)]
mod s11_tasks;
#[cfg(test)]
mod s12_reasons;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod send;
#[cfg(test)]
mod testing_json;
#[cfg(test)]
mod testing_order;
#[cfg(test)]
mod testing_run;
#[cfg(test)]
mod testing_script;
#[cfg(test)]
mod testing_service;
#[cfg(test)]
mod testing_trace;
#[cfg(test)]
mod testing_words;
#[cfg(test)]
mod x01_bounds;
#[cfg(test)]
mod x02_shutdown;
#[cfg(test)]
mod x03_leaked;
#[cfg(test)]
mod x03_nested;
#[cfg(test)]
mod x03_timers;
#[cfg(test)]
mod x05_shared;
#[cfg(test)]
mod x06_faults;
#[cfg(test)]
mod x08_signals;
#[cfg(test)]
mod x08_status;
