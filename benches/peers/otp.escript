#!/usr/bin/env escript
%% What COMPARE.md says of OTP's supervisor: the budget, a query, and what a restart costs.
-mode(compile).
-export([init/1, start/1]).

main(_) ->
    process_flag(trap_exit, true),
    logger:set_primary_config(level, none),
    io:format("OTP ~s~n", [erlang:system_info(otp_release)]),
    budget(),
    query(),
    [cost(Count) || Count <- [1, 100, 1000, 10000]].

init(Tree) -> {ok, Tree}.

start(Delay) ->
    timer:sleep(Delay),
    {ok, spawn_link(fun() -> receive stop -> ok end end)}.

child(Id, Delay) -> #{id => Id, start => {?MODULE, start, [Delay]}, shutdown => 1000}.

pid(Supervisor, Id) ->
    {Id, Pid, _, _} = lists:keyfind(Id, 1, supervisor:which_children(Supervisor)),
    Pid.

%% One child is killed once more than the intensity allows.
budget() ->
    Flags = #{intensity => 3, period => 5},
    {ok, Supervisor} = supervisor:start_link(?MODULE, {Flags, [child(faulty, 0), child(innocent, 0)]}),
    Watch = monitor(process, pid(Supervisor, innocent)),
    [begin exit(pid(Supervisor, faulty), kill), timer:sleep(20) end || _ <- lists:seq(1, 4)],
    receive
        {'DOWN', Watch, process, _, Why} -> io:format("the innocent sibling ended: ~p~n", [Why])
    after 2000 -> io:format("the innocent sibling lives~n")
    end.

%% Another process adds a child that takes a second to start.
query() ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, {#{}, [child(quick, 0)]}),
    spawn(fun() -> supervisor:start_child(Supervisor, child(slow, 1000)) end),
    timer:sleep(50),
    {Micros, _} = timer:tc(fun() -> supervisor:which_children(Supervisor) end),
    io:format("which_children while another child starts: ~p ms~n", [Micros div 1000]).

%% From the kill of a child until the supervisor answers again, its restart done.
cost(Count) ->
    Flags = #{intensity => 1000000, period => 1},
    {ok, Supervisor} = supervisor:start_link(?MODULE, {Flags, [child(I, 0) || I <- lists:seq(1, Count)]}),
    Nanos = lists:sort([restart(Supervisor) || _ <- lists:seq(1, 201)]),
    io:format("~p children: a restart takes ~p us~n", [Count, lists:nth(101, Nanos) / 1000]),
    exit(Supervisor, kill).

restart(Supervisor) ->
    Pid = pid(Supervisor, 1),
    Watch = monitor(process, Pid),
    Before = erlang:monotonic_time(nanosecond),
    exit(Pid, kill),
    receive {'DOWN', Watch, process, _, _} -> ok end,
    {ok, _} = supervisor:get_childspec(Supervisor, 1),
    erlang:monotonic_time(nanosecond) - Before.
