check: a > 0
check: a > 0 and b in ('x', 'y') or c between 1 and 5
check: a
check: length(e) < 5
check: (select 1) = 1
check: sum(a) > 1
check: rank() over () = 1
check: nope > 1
check: u.a > 1
check: b is not null and not (a = 1)
check: b ~ '^x' and upper(b) = 'X' and a + 1 * 2 > c
check: d > '2020-01-01' and d < now()
check: a = any('{1,2}'::int[])
check: ctid is null
check: xmin is null
check: tableoid is not null
check: generate_series(1,2) = 1
check: b like '%\%' and e <> 'it''s'
check: coalesce(a, 0) + c > 1.50 and b::varchar(3) = 'abc'
check: -a < -1 and (a + 1) * 2 - (3 - a) > 0
check: a is distinct from 1 and (b, a) = ('x', 1)
check: f[1] > 0 and array_length(f, 1) = 2
check: b collate "C" > 'a'
index: lower(b)
index: a + 1
index: count(*)
index: (select 1)
index: coalesce(a, 1)
index: a::text
default: 1
default: 'x'
default: '5'
default: 1.5
default: a
default: now()
default: true
default: 1 + 2 * 3
default: (select 1)
default: random() * 10
default: -5
default: current_date - '2020-01-01'
default: sum(1)
params: select $1 + 1
params: select $1
params: select $1 || 'x', $2::int, $3 = 'x'::text
params: insert into t (a, b, c) values ($1, $2, $3)
params: insert into t (a, b, c) select $1, $2, $3
params: update acc set abalance = abalance + $1 where aid = $2
params: select * from t where a in ($1, $2) and b like $3 limit $4 offset $5
params: select $1 = $2
params: select $1::text, $1::int
params: select $1 + $1::int8
params: select case when $1 then $2 else 1 end
params: select * from t where d between $1 and $2
params: select coalesce($1, 'x'), coalesce($2, 1)
params: select $2 + 1
params: insert into t (a, b) values ($1, $2), ($3, $4)
params: select abs($1), length($2), sum($3)
params: select * from generate_series($1, $2)
params: select array[$1, 1], $2 = any(array[1.5])
params: select $1 union select 1
params: select $1 union select $2
params: select now() - $1, interval '1 day' * $2
