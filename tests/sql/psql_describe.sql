-- what psql's \d commands ask
create sequence us1;
create table ut(a int primary key, b text not null default 'x', c int check (c>0), d serial, e bigint generated always as identity, f numeric(10,2), unique (b));
create table ut2(x int references ut(a) on delete cascade, y varchar(20) default upper('q'));
create index ut_i on ut (lower(b), (a+1) desc, b text_pattern_ops nulls first) include (c) where a>3;
create view uv as select a, b from ut where a>1;
\d
\dt
\dn
\df abs
\df+ pg_sleep
\di
\ds
\dv
\d ut
\d+ ut
\d ut2
\d us1
\d ut_i
\d uv
\d+ uv
\dp
\dT int4
\do ||
\da sum
\dS pg_class
\dA
\dd
\dO
\dl
\dE
\dD
\dm
\dP
\det
\dew
\des
\dy
\dX
\sf abs(int4)
\sv uv
\dconfig work_mem
