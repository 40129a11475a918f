#!/usr/bin/env escript
%% Figures of OTP's supervisor for the benches: what, and with how many children. One number is printed.
-mode(compile).
-export([init/1, start/0, fail/3]).

main([What, Size]) ->
    process_flag(trap_exit, true),
    logger:set_primary_config(level, none),
    %% Code is loaded when it is first called.
    down(up(specs(1))),
    io:format("~w~n", [figure(What, list_to_integer(Size))]).

figure("start", Size) ->
    Specs = specs(Size),
    {Time, Supervisor} = timed(fun() -> up(Specs) end),
    down(Supervisor),
    Time;
figure("stop", Size) ->
    Supervisor = up(specs(Size)),
    {Time, _} = timed(fun() -> down(Supervisor) end),
    Time;
figure("by_name", Size) ->
    Supervisor = up(specs(Size)),
    [ok = supervisor:terminate_child(Supervisor, Id) || Id <- lists:seq(1, Size)],
    Ids = [Pair * 7919 rem Size + 1 || Pair <- lists:seq(0, 99)],
    Pairs = fun() -> lists:foreach(fun(Id) -> pair(Supervisor, Id) end, Ids) end,
    Pairs(),
    {Time, _} = timed(Pairs),
    Time div 100;
figure("heap", Size) ->
    Specs = specs(Size),
    Before = used(),
    Supervisor = up(Specs),
    Running = used(),
    down(Supervisor),
    Size = length(Specs),
    (Running - Before) div Size;
figure(How, Size) ->
    Runs = counters:new(1, []),
    Spec = #{id => failing, start => {?MODULE, fail, [list_to_atom(How), Runs, self()]}},
    Supervisor = up(specs(Size) ++ [Spec]),
    {failing, Pid, _, _} = lists:keyfind(failing, 1, supervisor:which_children(Supervisor)),
    {Time, _} = timed(fun() -> Pid ! go, receive over -> ok end end),
    down(Supervisor),
    Time div 100.

used() ->
    [erlang:garbage_collect(Pid) || Pid <- processes()],
    erlang:memory(processes_used).

timed(Do) ->
    Before = erlang:monotonic_time(nanosecond),
    Done = Do(),
    {erlang:monotonic_time(nanosecond) - Before, Done}.

init(Tree) -> {ok, Tree}.

specs(Size) -> [#{id => Id, start => {?MODULE, start, []}} || Id <- lists:seq(1, Size)].

up(Specs) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, {#{intensity => 1000, period => 1}, Specs}),
    Supervisor.

down(Supervisor) ->
    exit(Supervisor, shutdown),
    receive {'EXIT', Supervisor, _} -> ok end.

pair(Supervisor, Id) ->
    {ok, _} = supervisor:restart_child(Supervisor, Id),
    ok = supervisor:terminate_child(Supervisor, Id).

start() -> {ok, spawn_link(fun() -> receive stop -> ok end end)}.

%% Fails a hundred times in a row, from the word on.
fail(How, Runs, Asked) ->
    {ok, spawn_link(fun() ->
        Run = counters:get(Runs, 1),
        counters:add(Runs, 1, 1),
        if Run =:= 0 -> receive go -> ok end; true -> ok end,
        if
            Run =:= 100 -> Asked ! over, receive stop -> ok end;
            How =:= error -> exit(again);
            How =:= panic -> error(again)
        end
    end)}.
