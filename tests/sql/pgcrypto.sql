create extension "uuid-ossp";
create extension pgcrypto;

\dx+ uuid-ossp
\dx+ pgcrypto
select uuid_nil(), uuid_ns_dns(), uuid_ns_url(), uuid_ns_oid(), uuid_ns_x500();
select uuid_generate_v3(uuid_ns_dns(), 'www.example.com'), uuid_generate_v5(uuid_ns_dns(), 'www.example.com'), uuid_generate_v5(uuid_ns_url(), '');
select substr(uuid_generate_v1()::text,15,1), substr(uuid_generate_v1mc()::text,15,1), substr(uuid_generate_v4()::text,15,1), uuid_generate_v4() <> uuid_generate_v4(), length(uuid_generate_v1()::text);
create table u(id uuid default uuid_generate_v4() primary key, n int);
insert into u(n) select generate_series(1,3);
select count(distinct id) from u;
select a, encode(digest('abc', a), 'hex') from unnest(array['md5','sha1','sha224','SHA256','sha384','sha512']) a;
select encode(digest('\x00ff'::bytea, 'sha256'), 'hex'), encode(digest('', 'sha1'), 'hex'), digest(null::text,'md5');
select digest('abc', 'nosuch');
select a, encode(hmac('data', 'key', a), 'hex') from unnest(array['md5','sha1','sha224','sha256','sha384','sha512']) a;
select encode(hmac(repeat('d',300), repeat('k',300), 'sha256'), 'hex'), encode(hmac('\x01'::bytea,'\x02'::bytea,'sha1'),'hex');
select hmac('a','b','nosuch');
select length(gen_random_bytes(10)), length(gen_random_bytes(1024));
select gen_random_bytes(0);
select gen_random_bytes(1025);
select length(gen_random_uuid()::text), gen_random_uuid() <> gen_random_uuid();
select crypt('secret', '$2a$06$abcdefghijklmnopqrstuu'), crypt('', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.'), crypt('U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.');
select crypt('password', '$1$abcdefgh$'), crypt('', '$1$x$'), crypt(repeat('long',20), '$1$saltsalt$rest');
select length(gen_salt('bf')), left(gen_salt('bf',8),7), length(gen_salt('md5')), left(gen_salt('md5'),3);
select p = crypt('pw', p), p = crypt('px', p) from (select crypt('pw', gen_salt('bf',4)) p) x;
select p = crypt('pw', p), p = crypt('px', p) from (select crypt('pw', gen_salt('md5')) p) x;
select gen_salt('nosuch');
select gen_salt('bf', 3);
select gen_salt('bf', 40);
select gen_salt('md5', 5);
select crypt('a','');
drop extension pgcrypto;
drop extension "uuid-ossp";
drop extension "uuid-ossp" cascade;
\d u
