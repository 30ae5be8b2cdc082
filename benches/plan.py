"""Processor time of parsing, analysing and planning: Stegodon beside PostgreSQL, one session each, microseconds a statement.
usage: plan.py SOCKET_DIR OWN_PORT PG_PORT [NAME_PART …]
Columns: `explain` is EXPLAIN (parse, analyse, plan, print), `prepare` is PREPARE and DEALLOCATE (parse and analyse), `first` is the
first EXPLAIN of a new session (cold catalog caches). Literals (the `{k}` of a statement) differ every time, and neither EXPLAIN nor
PREPARE goes through Stegodon's cache of plans by statement shape. The last table runs the statements: `same shape` differs in
literals only, which that cache serves; `new shape` has another column alias every time, which it cannot.
Time is the backend's own, from /proc/PID/schedstat; the two servers take turns, the median of ROUNDS counts.
Environment: ROUNDS (3), CPU_MS (60) of processor time for each figure, KINDS: which of explain, prepare, first and run to measure."""
import os, socket, struct, statistics, sys
here = os.path.dirname(os.path.abspath(__file__))
ROUNDS = int(os.environ.get('ROUNDS', '3'))
BUDGET = float(os.environ.get('CPU_MS', '60')) * 1e6

class Conn:
    def __init__(self, directory, port, database='tpch'):
        self.s = socket.socket(socket.AF_UNIX); self.s.connect(f'{directory}/.s.PGSQL.{port}')
        b = struct.pack('!I', 196608) + f'user\0postgres\0database\0{database}\0\0'.encode()
        self.s.sendall(struct.pack('!I', len(b) + 4) + b); self.buf = bytearray(); self.pid = 0
        self.drain(1)
        self.run(['set max_parallel_workers_per_gather = 0; set jit = off'])
    def drain(self, ready):
        while True:
            at = 0
            while len(self.buf) - at >= 5:
                n = struct.unpack_from('!I', self.buf, at + 1)[0] + 1
                if len(self.buf) - at < n: break
                t = self.buf[at]
                if t == 69: raise RuntimeError(bytes(self.buf[at + 5:at + n]).decode(errors='replace'))
                if t == 75: self.pid = struct.unpack_from('!I', self.buf, at + 5)[0]
                if t == 90: ready -= 1
                at += n
            del self.buf[:at]
            if ready == 0: return
            d = self.s.recv(1 << 20)
            if not d: raise RuntimeError('closed')
            self.buf += d
    def run(self, statements):
        """Sends at most about 64 kB at a time, so that the server seldom sleeps between two statements."""
        out, n = bytearray(), 0
        for q in statements:
            b = q.encode() + b'\0'; out += b'Q' + struct.pack('!I', len(b) + 4) + b; n += 1
            if len(out) > 60000 or n >= 50: self.s.sendall(out); self.drain(n); out, n = bytearray(), 0
        if n: self.s.sendall(out); self.drain(n)
    def cpu(self): return int(open(f'/proc/{self.pid}/schedstat').read().split()[0])
    def close(self): self.s.close()

def measure(c, texts, before=(), after=()):
    """ns a statement; `texts(i)` gives the i-th group of statements."""
    c.run(before); k, per = 0, 0
    try:
        c.run(texts(0) + texts(1)); a = c.cpu(); c.run(texts(2) + texts(3)); est = max((c.cpu() - a) / 2, 1000)
        n = max(2, min(2000, int(BUDGET / est))); k = 4; todo = []
        for i in range(n): todo += texts(k + i)
        a = c.cpu(); c.run(todo); per = (c.cpu() - a) / n
    finally: c.run(after)
    return per

SETUP = """
create table users (id int primary key, username varchar(150) not null unique, first_name varchar(150), last_name varchar(150), email varchar(254),
  password varchar(128), is_staff bool, is_active bool, is_superuser bool, date_joined timestamptz, last_login timestamptz);
create table groups (id int primary key, name varchar(150) not null unique, owner_id int references users);
create table membership (id int primary key, user_id int not null references users, group_id int not null references groups, since date, unique (user_id, group_id));
create index membership_group on membership (group_id);
create table post (id int primary key, author_id int references users, title text not null, body text, created timestamptz, status int, score float8);
create index post_author on post (author_id); create index post_created on post (created); create index post_title on post (title);
create table comment (id int primary key, post_id int references post, user_id int references users, txt text, created timestamptz);
create index comment_post on comment (post_id); create index comment_user on comment (user_id);
insert into users select i, 'u' || i, 'f' || i % 100, 'l' || i % 300, 'e' || i, 'x', i % 50 = 0, i % 9 > 0, i = 1, now() - i * interval '1 hour', null from generate_series(1, 2000) i;
insert into groups select i, 'g' || i, i from generate_series(1, 50) i;
insert into membership select i, (i - 1) / 2 + 1, i % 2 * 25 + i / 7 % 25 + 1, '2020-01-01' from generate_series(1, 4000) i;
insert into post select i, i % 2000 + 1, 't' || i, 'b', now() - i * interval '1 minute', i % 5, i % 97 from generate_series(1, 10000) i;
insert into comment select i, i % 10000 + 1, i % 2000 + 1, 'c' || i, now() from generate_series(1, 20000) i;
create view active_user as select id, username, first_name, last_name, email from users where is_active;
create view author as select u.*, p.n from active_user u join (select author_id, count(*) n from post group by author_id) p on p.author_id = u.id;
"""
def star_chain():
    out = [f'create table j{i} (id int primary key, a int, b int, v text); create index j{i}_a on j{i} (a); '
           f'insert into j{i} select i, i % {7 + i}, i % {13 * (i + 1)}, i from generate_series(1, {200 * (i % 4 + 1)}) i;' for i in range(1, 25)]
    cols = ', '.join(f'd{i} int' for i in range(1, 25))
    out.append(f"create table fact (id int primary key, {cols}); insert into fact select i, {', '.join(f'i % {200 * (n % 4 + 1)} + 1' for n in range(1, 25))} from generate_series(1, 3000) i;")
    out.append('create table wide (' + ', '.join(f'c{i} int' for i in range(1, 1001)) + ');')
    return out

def chain(n): return 'select j1.v from ' + ', '.join(f'j{i}' for i in range(1, n + 1)) + ' where ' + ' and '.join(f'j{i}.a = j{i + 1}.id' for i in range(1, n)) + ' and j1.b = {k}'
def chain_join(n): return 'select j1.v from j1' + ''.join(f' join j{i} on j{i - 1}.a = j{i}.id' for i in range(2, n + 1)) + ' where j1.b = {k}'
def star(n): return 'select fact.id from fact, ' + ', '.join(f'j{i}' for i in range(1, n)) + ' where ' + ' and '.join(f'fact.d{i} = j{i}.id' for i in range(1, n)) + ' and j1.b = {k}'
def star_left(n): return 'select fact.id from fact' + ''.join(f' left join j{i} on fact.d{i} = j{i}.id' for i in range(1, n)) + ' where fact.id = {k}'
def ints(n): return ', '.join(f'{{k}}{i:04d}' for i in range(n))
def texts(n): return ', '.join(f"'t{{k}}{i:04d}'" for i in range(n))
ORM = '''SELECT "post"."id", "post"."author_id", "post"."title", "post"."body", "post"."created", "post"."status", "post"."score", "users"."id", "users"."username",
 "users"."first_name", "users"."last_name", "users"."email", "users"."password", "users"."is_staff", "users"."is_active", "users"."is_superuser", "users"."date_joined", "users"."last_login"
 FROM "post" INNER JOIN "users" ON ("post"."author_id" = "users"."id") WHERE ("post"."status" = {k} AND "users"."is_active" AND "post"."created" > '2020-01-01 00:00:00+00'::timestamptz
 AND NOT ("users"."username" IN ('a', 'b'))) ORDER BY "post"."created" DESC, "post"."id" ASC LIMIT 21'''
ALCHEMY = '''SELECT anon_1.post_id AS anon_1_post_id, anon_1.post_title AS anon_1_post_title, anon_1.post_author_id AS anon_1_post_author_id, comment_1.id AS comment_1_id, comment_1.post_id AS comment_1_post_id,
 comment_1.txt AS comment_1_txt, comment_1.created AS comment_1_created, users_1.id AS users_1_id, users_1.username AS users_1_username, users_1.email AS users_1_email
 FROM (SELECT post.id AS post_id, post.title AS post_title, post.author_id AS post_author_id FROM post WHERE post.author_id = {k} ORDER BY post.created DESC LIMIT 10) AS anon_1
 LEFT OUTER JOIN comment AS comment_1 ON anon_1.post_id = comment_1.post_id LEFT OUTER JOIN users AS users_1 ON users_1.id = comment_1.user_id ORDER BY anon_1.post_id'''
PSQL_D = r'''SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d
 WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull, (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t
 WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation, a.attidentity, a.attgenerated
 FROM pg_catalog.pg_attribute a WHERE a.attrelid = '{k}' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum'''
PSQL_DT = r'''SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence'
 WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type", pg_catalog.pg_get_userbyid(c.relowner) as "Owner"
 FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
 WHERE c.relkind IN ('r','p','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' AND c.oid <> {k} AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2'''
FUNCTIONS = """select lower(u.username) || '-' || upper(coalesce(u.first_name, 'x')), length(trim(u.email)) + abs(u.id - 5) * 2, round(p.score::numeric, 2), substr(p.title, 1, 3),
 date_trunc('day', p.created), extract(year from p.created), to_char(p.created, 'YYYY-MM-DD'), p.created + interval '1 day' > now(), greatest(p.status, 1, 2), nullif(p.title, ''),
 case when p.score > 10.5 then 'high' when p.score between 1 and 10 then 'mid' else 'low' end, replace(p.title, 'a', 'b'), position('x' in p.title), concat(u.id, ':', p.id), p.id % 7, -p.score,
 p.title like 't%', p.title ~ '^t[0-9]+$', p.score is not null and not u.is_staff, md5(p.title), floor(p.score), power(p.score, 2), sqrt(abs(p.score)), array[p.id, u.id], p.title is distinct from 'q'
 from users u join post p on p.author_id = u.id where p.id = {k} and (p.status, p.score) > (1, 2.5) and p.created::date < current_date"""
NESTED = """select x.id, x.n, (select count(*) from comment c where c.post_id in (select id from post q where q.author_id = x.id)) from
 (select u.id, t.n from users u, (select author_id, count(*) as n from (select * from post where status = {k}) p group by author_id) t where t.author_id = u.id) x
 where x.n > (select avg(z.m) from (select count(*) as m from post group by author_id) z) and exists (select 1 from membership m where m.user_id = x.id and m.since > '2019-01-01')"""
ALIASES = 'SELECT ' + ', '.join(f'"{t}"."{c}" AS "{t}_{c}"' for t, cols in [('t0', ['id', 'txt', 'created', 'post_id', 'user_id']), ('t1', ['id', 'author_id', 'title', 'body', 'created', 'status', 'score']),
    *((f't{i}', ['id', 'username', 'first_name', 'last_name', 'email', 'password', 'is_staff', 'is_active', 'is_superuser', 'date_joined', 'last_login']) for i in (2, 3, 4, 5)), ('t6', ['id', 'name', 'owner_id', 'id'])] for c in cols) + \
    ' FROM "comment" "t0" LEFT OUTER JOIN "post" "t1" ON "t0"."post_id" = "t1"."id" LEFT OUTER JOIN "users" "t2" ON "t1"."author_id" = "t2"."id" LEFT OUTER JOIN "users" "t3" ON "t0"."user_id" = "t3"."id"' + \
    ' LEFT OUTER JOIN "users" "t4" ON "t4"."username" = "t2"."email" LEFT OUTER JOIN "users" "t5" ON "t5"."email" = "t3"."email" LEFT OUTER JOIN "groups" "t6" ON "t6"."owner_id" = "t2"."id"' + \
    ' WHERE ("t0"."id" = {k} AND "t1"."status" IN (1, 2, 3) AND ("t2"."is_active" = true OR "t3"."is_staff" IS NULL)) ORDER BY "t0"."created" DESC, "t1"."id" ASC LIMIT 50 OFFSET 0'
WIDE_SEARCH = (['set join_collapse_limit = 20; set from_collapse_limit = 20; set geqo = off'], ['reset join_collapse_limit; reset from_collapse_limit; reset geqo'])
OPEN_GEQO = (['set join_collapse_limit = 20; set from_collapse_limit = 20'], ['reset join_collapse_limit; reset from_collapse_limit'])
STATEMENTS = [
    ('point select', 'select * from users where id = {k}'),
    ('2-way join', 'select p.title, u.username from post p join users u on u.id = p.author_id where p.id = {k}'),
    ('3-way join', 'select c.txt, p.title, u.username from comment c join post p on p.id = c.post_id join users u on u.id = p.author_id where c.id = {k}'),
    ('5-way join', 'select c.txt, p.title, u.username, g.name from comment c join post p on p.id = c.post_id join users u on u.id = p.author_id join membership m on m.user_id = u.id join groups g on g.id = m.group_id where c.id = {k}'),
    ('ORM, Django', ORM), ('ORM, SQLAlchemy', ALCHEMY),
    ('aggregate, group by, having', 'select author_id, status, count(*), avg(score) from post where id > {k} group by author_id, status having count(*) > 1 order by 3 desc'),
    ('CTE', 'with r as (select author_id, max(created) m from post where status = {k} group by author_id) select u.username, r.m from r join users u on u.id = r.author_id where u.is_active'),
    ('recursive CTE', 'with recursive t(id, d) as (select id, 1 from users where id = {k} union all select m.group_id, d + 1 from t join membership m on m.user_id = t.id where d < 5) select * from t'),
    ('window', 'select id, row_number() over (partition by author_id order by created), sum(score) over (partition by author_id) from post where status = {k}'),
    ('EXISTS', 'select * from users u where exists (select 1 from post p where p.author_id = u.id and p.status = {k})'),
    ('NOT EXISTS', 'select * from users u where not exists (select 1 from post p where p.author_id = u.id and p.status = {k})'),
    ('IN sub-query', 'select * from post where author_id in (select user_id from membership where group_id = {k})'),
    ('scalar sub-query', 'select id, (select count(*) from comment c where c.post_id = p.id) from post p where p.author_id = {k}'),
    ('UNION', 'select id, username from users where id = {k} union select id, name from groups where id = {k} order by 2'),
    ('INSERT 1 row', "insert into comment values ({k}, 1, 1, 'x', now())"),
    ('INSERT 100 rows', 'insert into comment values ' + ', '.join(f"({{k}}{i:02d}, 1, 1, 'x', now())" for i in range(100))),
    ('INSERT 1000 rows', 'insert into comment (id, post_id, user_id, txt, created) values ' + ', '.join(f"({{k}}{i:03d}, {i}, 1, 'text {i}', '2020-01-01')" for i in range(1000))),
    ('VALUES 1000 rows', 'select * from (values ' + ', '.join(f"({{k}}, {i}, 'text {i}', {i}.5)" for i in range(1000)) + ') v(a, b, c, d) where a > 0'),
    ('UPDATE by key', "update post set title = 'x', score = score + 1 where id = {k}"),
    ('DELETE by key', 'delete from comment where id = {k}'),
    ('ON CONFLICT', "insert into groups as g values ({k}, 'n', 1) on conflict (id) do update set name = excluded.name where g.owner_id = 1"),
    ('UPDATE with a join', "update post p set title = u.username, score = p.score * 2, status = case when u.is_active then 1 else 0 end from users u where u.id = p.author_id and p.id = {k} returning p.id, p.title"),
    ('DELETE with a sub-query', 'delete from comment where post_id in (select id from post where author_id = {k}) and created < now()'),
    ('functions and operators', FUNCTIONS), ('nested sub-queries', NESTED), ('ORM, 60 columns and aliases', ALIASES),
    ('view on a view', 'select username, n from author where id = {k}'),
    ('information_schema.tables', "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' and table_name = 'x{k}'"),
    ('information_schema.columns', "select column_name, data_type from information_schema.columns where table_name = 'x{k}' order by ordinal_position"),
    ('psql \\d, columns', PSQL_D), ('psql \\dt', PSQL_DT),
    ('8-way chain', chain(8)), ('8-way star', star(8)), ('12-way chain', chain(12)), ('12-way star', star(12)), ('20-way chain', chain(20)), ('20-way star', star(20)),
    ('20-way chain, JOIN', chain_join(20)), ('20-way star, left joins', star_left(20)),
    ('12-way chain, collapse 20', chain(12), OPEN_GEQO), ('12-way star, collapse 20', star(12), OPEN_GEQO),
    ('20-way chain, collapse 20', chain(20), OPEN_GEQO), ('20-way star, collapse 20', star(20), OPEN_GEQO),
    ('10-way star, no geqo', star(10), WIDE_SEARCH), ('12-way chain, no geqo', chain(12), WIDE_SEARCH), ('20-way chain, no geqo', chain(20), WIDE_SEARCH),
    ('IN 2000 ints, indexed', f'select title from post where id in ({ints(2000)})'), ('IN 2000 ints, no index', f'select title from post where status in ({ints(2000)})'),
    ('IN 2000 texts, indexed', f'select id from post where title in ({texts(2000)})'), ('IN 2000 texts, no index', f'select id from post where body in ({texts(2000)})'),
    ('= ANY of 2000 ints', f"select title from post where id = any ('{{{{{','.join(f'{{k}}{i:04d}' for i in range(2000))}}}}}')"),
    ('500-term OR, one column', 'select id from post where ' + ' or '.join(f'author_id = {{k}}{i:03d}' for i in range(500))),
    ('500-term OR, two columns', 'select id from post where ' + ' or '.join(f'(author_id = {{k}}{i:03d} and status = {i})' for i in range(500))),
    ('1000-column target list', 'select ' + ', '.join(f'c{i}' for i in range(1, 1001)) + ' from wide where c1 = {k}'),
]
def tpch():
    d = f'{here}/tpch/queries'
    for f in sorted(os.listdir(d)):
        parts = [p.strip() for p in open(f'{d}/{f}').read().split(';') if p.strip()]
        views = [p for p in parts if p.lower().startswith('create')]; drops = [p for p in parts if p.lower().startswith('drop')]
        q = [p for p in parts if p not in views and p not in drops][0].replace(':sf', '0.01')
        yield (f'TPC-H {f[:2]}', q.replace('{', '{{').replace('}', '}}'), (views, drops))

def main():
    d, own, pg, only = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    for p in (own, pg):
        c = Conn(d, p)
        try: c.run(['select 1 from users limit 1'])
        except RuntimeError:
            c.close(); c = Conn(d, p)
            c.run([x for x in SETUP.split(';\n') if x.strip()] + star_chain() + ['vacuum analyze'])
        c.close()
    wanted = lambda n: not only or any(o in n for o in only)
    kinds = [k for k in ('explain', 'prepare', 'first') if k in os.environ.get('KINDS', 'explain prepare first')]
    print(f"{'plan (µs of processor time)':32} | " + ' | '.join(f'{k:>26}' for k in kinds))
    print(f"{'':32} | " + ' | '.join([f"{'Stegodon':>9} {'PG':>9} {'ratio':>6}"] * len(kinds))); logs = [[], [], []]
    for s in [*STATEMENTS, *tpch()]:
        name, text = s[0], s[1]; before, after = s[2] if len(s) > 2 else ([], [])
        if not wanted(name): continue
        one = lambda i: text.format(k=i % 800 + 1)
        cells = []
        def row(kind, fn):
            v = {own: [], pg: []}
            for _ in range(ROUNDS):
                for p in (own, pg):
                    try: v[p].append(fn(p))
                    except RuntimeError as e: print(name, kind, p, e.args[0].replace('\0', ' ')[:200], file=sys.stderr); v[p].append(float('nan'))
            a, b = statistics.median(v[own]) / 1000, statistics.median(v[pg]) / 1000
            cells.append(f'{a:9.0f} {b:9.0f} {b / a:6.2f}'); return b / a
        conns = {p: Conn(d, p) for p in (own, pg)}
        def explain(p): return measure(conns[p], lambda i: ['explain ' + one(i)], before, after)
        def prepare(p): return measure(conns[p], lambda i: ['prepare x as ' + one(i), 'deallocate x'], before, after)
        def first(p):
            c = Conn(d, p); c.run(['select 1']); c.run(before); a = c.cpu(); c.run(['explain ' + one(1)]); t = c.cpu() - a; c.run(after); c.close(); return t
        for kind, fn, l in (('explain', explain, logs[0]), ('prepare', prepare, logs[1]), ('first', first, logs[2])):
            if kind in kinds: l.append(row(kind, fn))
        for c in conns.values(): c.close()
        print(f'{name:32} | ' + ' | '.join(cells), flush=True)
    import math
    print('geometric means: ' + ', '.join(f'{math.exp(sum(map(math.log, l)) / len(l)):.2f}' for l in logs if l))
    if 'run' not in os.environ.get('KINDS', 'run'): return
    print(f"\n{'run (µs of processor time)':32} | {'same shape':>26} | {'new shape':>26}")
    for name, text in [s[:2] for s in STATEMENTS if s[0] in ('point select', '2-way join', '3-way join', '5-way join', 'ORM, SQLAlchemy', 'UPDATE by key', 'DELETE by key')]:
        if not wanted(name): continue
        cells = []
        for fresh in (False, True):
            def one(i):
                q = text.format(k=i % 800 + 30000)
                if not fresh: return [q]
                return [q + f' returning 1 as x{i}'] if name.split()[0] in ('UPDATE', 'DELETE') else [f'select {i} as x{i}, s.* from ({q}) s']
            v = {own: [], pg: []}; conns = {p: Conn(d, p) for p in v}
            for _ in range(ROUNDS):
                for p in v: v[p].append(measure(conns[p], one))
            a, b = statistics.median(v[own]) / 1000, statistics.median(v[pg]) / 1000; cells.append(f'{a:9.0f} {b:9.0f} {b / a:6.2f}')
        print(f'{name:32} | ' + ' | '.join(cells), flush=True)
if __name__ == '__main__':
    main()
