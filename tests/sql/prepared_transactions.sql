-- PREPARE TRANSACTION where it is switched off, which is the default.
prepare transaction 'x';
begin; prepare transaction 'x';
select 1;
begin; select 1/0; prepare transaction 'x';
commit prepared 'x';
rollback prepared 'x';
begin; commit prepared 'x'; rollback;
begin; rollback prepared 'x'; rollback;
show max_prepared_transactions;
