view: select t.a, t.b || 'z' as bz, c::int, -c as n, case when a > 1 then 'one' else b end as cs from t
view: select a in (1,2,3) as i, a not in (1,2) ni, b like 'x%' l, d between '2020-01-01' and '2021-01-01' as bt, coalesce(b,'q') from t
view: select e='abc' as ee, f[1] as f1, f[1:2] as fs, array[a,2] as arr, a is distinct from 3 as idf, (a,b)=(1,'x') as rc from t
view: select not (a=1 and b='x') as nn, extract(year from d) ex, substring(b from 1 for 2) sb, position('a' in b) ps, trim(both 'x' from b) tr from t
view: select current_date cd, current_timestamp(2) ct, d at time zone 'UTC' as atz, nullif(a,1) nf, greatest(a,2) gr from t
view: select (select max(x.a) from u x where x.a=t.a) sq, exists(select 1 from u) ex2, a = any(array[1,2]) aa, a in (select a from u) ins from t
view: select b collate "C" cl, a::text::varchar(5) vv, interval '1 day' iv, e::text et, b is null as isn, (a>1) is true as ist from t
view: select cast(a as float8) fl, 1.5 as n1, -1 as neg, 'abc'::text tx, true as tt, null::int as nu, '2020-01-01'::date dd, abs(-1) ab from t
view: select a+b::int*2 as pr, (a+1)*2 pr2, a - (b::int - 1) pr3, (a,b) < (2,'y') as rlt, b ~ 'x' and a>1 or c<2 as ao, 'a'::"char" as ch from t
view: select a > all(select a from u) as al, case a when 1 then 2 end as c2, 10::int8 as b8, 3::int2 as i2, '1'::bpchar as bpc from t where a > 0 and (b = 'x' or c > 1)
view: select a, count(*) as n, sum(a) filter (where a>1) s, count(distinct s) cd, string_agg(k::text, ',' order by k desc) sa from u group by a having count(*) > 1
view: with q as (select a as qa, count(*) as n from u group by a having count(*) > 1), z as materialized (select 1 as one) select t.a, q.n from t join q on q.qa=t.a left join (select 1 as one, 2 as two) ss(x,y) on true
view: select distinct on (t.a) t.a, rank() over (partition by t.b order by t.a desc nulls last) rk, sum(t.a) over w sw from t, generate_series(1,10) g(i), lateral (select g.i+1 as j) lt where t.a > 1 window w as (partition by t.b rows between 1 preceding and current row) order by t.a, 2 desc limit 10 offset 5
view: select a from t union all select a from u union (select 3 order by 1 limit 1) except select 4 order by a
view: select t.* , x.a as xa from t, t x where t.a=x.a for update of t
view: values (1,'a'::text),(2,'b')
view: select t.a, u.s from t join u using (a)
view: select t.a, x.s from t left join u x on x.a = t.a and x.s > 1 where t.b is not null
view: select distinct a, b from t order by a desc, b nulls first
view: select upper(b) as ub, count(*) from t group by upper(b) order by count(*) desc
view: select a from t where a in (select s from u where u.a = t.a) and not exists (select 1 from acc where acc.aid = t.a)
view: select * from (select a, b from t) x(p, q) where p > 1
view: select a + 1 as x from t group by a + 1 order by a + 1
view: select x.a, y.a as ya from t x full join t y on x.a = y.a
view: select 1 union select 2
view: with recursive r(n) as (select 1 union all select n+1 from r where n < 10) select * from r
view: select rank() over (order by a), sum(a) over (partition by b), count(*) over w from t window w as (order by a)
view: select a, (select x from (select t.a union select 2) q(x)) from t
view: with recursive r as (select 1 as n union all (select n + 1 from r union select 5)) select n from r
