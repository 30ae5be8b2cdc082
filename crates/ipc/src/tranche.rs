//! Names, ranks and numbers of what a process can wait for. A tranche is a family of LWLocks; its rank is its place in
//! the lock order: a process that holds a lock may wait only for locks of the same or a higher rank (asserted in
//! debug builds; locks of equal rank need an order of their own). Rank 0 takes no part in the order.

/// A family of LWLocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Tranche(pub u16);

macro_rules! tranches {
    ($($num:literal $name:ident $text:literal $rank:literal;)+) => {
        impl Tranche {
            $(#[doc = concat!("`", $text, "`")] pub const $name: Tranche = Tranche($num);)+
        }
        const TABLE: &[(u16, &str, u16)] = &[$(($num, $text, $rank)),+];
    };
}

tranches! {
    0 UNKNOWN "Unknown" 0;
    1 AUTOVACUUM "Autovacuum" 20;
    2 AUTOVACUUM_SCHEDULE "AutovacuumSchedule" 21;
    3 CHECKPOINT "Checkpoint" 30;
    4 SEQUENCE_CACHE "SequenceCache" 40;
    5 PG_STATS "PgStatsHash" 50;
    6 CATALOG_CACHE "CatalogCache" 60;
    7 RELATION_MAPPING "RelationMapping" 70;
    8 REL_CACHE_INIT "RelCacheInit" 71;
    10 LOCK_FAST_PATH "LockFastPath" 100;
    11 LOCK_MANAGER "LockManager" 110;
    12 SINVAL_WRITE "SInvalWrite" 120;
    9 NOTIFY_QUEUE "NotifyQueue" 95;
    13 SINVAL_READ "SInvalRead" 121;
    20 BUFFER_CONTENT "BufferContent" 200;
    21 BUFFER_MAPPING "BufferMapping" 210;
    22 BUFFER_IO "BufferIO" 220;
    23 BUFFER_STRATEGY "BufferStrategy" 230;
    24 RELATION_SIZE "RelationSize" 240;
    25 SYNC_REQUEST "SyncRequest" 245;
    26 SERIALIZABLE "SerializableXactHash" 290;
    30 MULTIXACT_GEN "MultiXactGen" 300;
    31 PROC_ARRAY "ProcArray" 310;
    32 XID_GEN "XidGen" 320;
    33 OID_GEN "OidGen" 321;
    34 XACT_SLRU "XactSLRU" 330;
    35 SUBTRANS_SLRU "SubtransSLRU" 330;
    36 MULTIXACT_OFFSET_SLRU "MultiXactOffsetSLRU" 330;
    37 MULTIXACT_MEMBER_SLRU "MultiXactMemberSLRU" 330;
    38 XACT_BUFFER "XactBuffer" 340;
    39 SUBTRANS_BUFFER "SubtransBuffer" 340;
    40 MULTIXACT_OFFSET_BUFFER "MultiXactOffsetBuffer" 340;
    41 MULTIXACT_MEMBER_BUFFER "MultiXactMemberBuffer" 340;
    50 WAL_INSERT "WALInsert" 400;
    51 WAL_BUF_MAPPING "WALBufMapping" 410;
    52 WAL_WRITE "WALWrite" 420;
    53 CONTROL_FILE "ControlFile" 430;
    54 CHECKPOINTER_COMM "CheckpointerComm" 440;
    60 PROC "Proc" 500;
    61 DSM_CONTROL "DynamicSharedMemoryControl" 0;
    62 EXTENSION "Extension" 0;
    63 PG_STAT_STATEMENTS "pg_stat_statements" 0;
}

impl Tranche {
    /// The wait-event name, as in PostgreSQL's `pg_stat_activity`.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|t| t.0 == self.0).map_or("Unknown", |t| t.1)
    }
    /// Place in the lock order; 0 is outside of it.
    pub fn rank(self) -> u16 {
        TABLE.iter().find(|t| t.0 == self.0).map_or(0, |t| t.2)
    }
}

/// What a process waits for: class in the high byte, number in the low 16 bits. Zero is "nothing".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct WaitEvent(pub u32);

macro_rules! events {
    ($($name:ident $class:literal $num:literal $text:literal;)+) => {
        impl WaitEvent {
            $(#[doc = concat!("`", $text, "`")] pub const $name: WaitEvent = WaitEvent(($class << 24) | $num);)+
        }
        const EVENTS: &[(u32, &str)] = &[$((($class << 24) | $num, $text)),+];
    };
}

const LWLOCK: u32 = 0x01 << 24;
const LOCK: u32 = 0x03 << 24;

events! {
    CHECKPOINTER_MAIN 0x05 1 "CheckpointerMain";
    BGWRITER_MAIN 0x05 2 "BgWriterMain";
    BGWRITER_HIBERNATE 0x05 3 "BgWriterHibernate";
    WAL_WRITER_MAIN 0x05 4 "WalWriterMain";
    AUTOVACUUM_MAIN 0x05 5 "AutoVacuumMain";
    ARCHIVER_MAIN 0x05 6 "ArchiverMain";
    SYSLOGGER_MAIN 0x05 7 "SysLoggerMain";
    LOGICAL_LAUNCHER_MAIN 0x05 8 "LogicalLauncherMain";
    RECOVERY_WAL_STREAM 0x05 9 "RecoveryWalStream";
    CLIENT_READ 0x06 0 "ClientRead";
    CLIENT_WRITE 0x06 1 "ClientWrite";
    BUFFER_PIN 0x04 0 "BufferPin";
    BUFFER_IO 0x08 1 "BufferIO";
    CHECKPOINT_START 0x08 2 "CheckpointStart";
    CHECKPOINT_DONE 0x08 3 "CheckpointDone";
    XACT_GROUP_UPDATE 0x08 4 "XactGroupUpdate";
    PROC_ARRAY_GROUP_UPDATE 0x08 5 "ProcarrayGroupUpdate";
    ARCHIVE_COMMAND 0x08 6 "ArchiveCommand";
    PROC_SIGNAL_BARRIER 0x08 7 "ProcSignalBarrier";
    BACKEND_TERMINATION 0x08 8 "BackendTermination";
    BGWORKER_STARTUP 0x08 9 "BgWorkerStartup";
    BGWORKER_SHUTDOWN 0x08 11 "BgWorkerShutdown";
    SAFE_SNAPSHOT 0x08 10 "SafeSnapshot";
    MESSAGE_QUEUE_RECEIVE 0x08 20 "MessageQueueReceive";
    MESSAGE_QUEUE_SEND 0x08 21 "MessageQueueSend";
    PARALLEL_FINISH 0x08 22 "ParallelFinish";
    EXECUTE_GATHER 0x08 23 "ExecuteGather";
    BTREE_PAGE 0x08 24 "BtreePage";
    HASH_BUILD_HASH_INNER 0x08 25 "HashBuildHashInner";
    EXTENSION 0x07 0 "Extension";
    PG_SLEEP 0x09 1 "PgSleep";
    VACUUM_DELAY 0x09 2 "VacuumDelay";
    CHECKPOINT_WRITE_DELAY 0x09 3 "CheckpointWriteDelay";
    VACUUM_TRUNCATE 0x09 4 "VacuumTruncate";
    REGISTER_SYNC_REQUEST 0x09 5 "RegisterSyncRequest";
    SPIN_DELAY 0x09 6 "SpinDelay";
    DATA_FILE_READ 0x0A 1 "DataFileRead";
    DATA_FILE_WRITE 0x0A 2 "DataFileWrite";
    DATA_FILE_EXTEND 0x0A 3 "DataFileExtend";
    DATA_FILE_SYNC 0x0A 4 "DataFileSync";
    DATA_FILE_TRUNCATE 0x0A 5 "DataFileTruncate";
    WAL_READ 0x0A 6 "WALRead";
    WAL_WRITE 0x0A 7 "WALWrite";
    WAL_SYNC 0x0A 8 "WALSync";
    WAL_INIT_WRITE 0x0A 9 "WALInitWrite";
    SLRU_READ 0x0A 10 "SLRURead";
    SLRU_WRITE 0x0A 11 "SLRUWrite";
    SLRU_SYNC 0x0A 12 "SLRUSync";
    CONTROL_FILE_WRITE 0x0A 13 "ControlFileWrite";
    BUF_FILE_READ 0x0A 14 "BufFileRead";
    BUF_FILE_WRITE 0x0A 15 "BufFileWrite";
    DATA_FILE_PREFETCH 0x0A 16 "DataFilePrefetch";
    DATA_FILE_FLUSH 0x0A 17 "DataFileFlush";
    DATA_FILE_IMMEDIATE_SYNC 0x0A 18 "DataFileImmediateSync";
    CONTROL_FILE_READ 0x0A 19 "ControlFileRead";
    COPY_FILE_READ 0x0A 20 "CopyFileRead";
    COPY_FILE_WRITE 0x0A 21 "CopyFileWrite";
    RELATION_MAP_READ 0x0A 22 "RelationMapRead";
    WAL_INIT_SYNC 0x0A 23 "WALInitSync";
}

/// Names of heavyweight lock types, numbered as in PostgreSQL's lock tags.
pub const LOCK_TYPES: [&str; 10] = [
    "relation",
    "extend",
    "frozenid",
    "page",
    "tuple",
    "transactionid",
    "virtualxid",
    "spectoken",
    "object",
    "userlock",
];

impl WaitEvent {
    /// Not waiting.
    pub const NONE: WaitEvent = WaitEvent(0);

    /// Waiting for an LWLock. The lock under which a file grows is a heavyweight lock in PostgreSQL, and shown as that.
    pub fn lwlock(t: Tranche) -> WaitEvent {
        match t {
            Tranche::RELATION_SIZE => WaitEvent::lock(1),
            _ => WaitEvent(LWLOCK | u32::from(t.0)),
        }
    }
    /// Waiting for a heavyweight lock of a type numbered as in [`LOCK_TYPES`] (10 is advisory).
    pub fn lock(lock_type: u8) -> WaitEvent {
        WaitEvent(LOCK | u32::from(lock_type))
    }
    /// `wait_event_type` of `pg_stat_activity`.
    pub fn class(self) -> Option<&'static str> {
        Some(match self.0 >> 24 {
            0x01 => "LWLock",
            0x03 => "Lock",
            0x04 => "BufferPin",
            0x05 => "Activity",
            0x06 => "Client",
            0x07 => "Extension",
            0x08 => "IPC",
            0x09 => "Timeout",
            0x0A => "IO",
            _ => return None,
        })
    }
    /// `wait_event` of `pg_stat_activity`.
    pub fn name(self) -> Option<&'static str> {
        match self.0 >> 24 {
            0 => None,
            0x01 => Some(Tranche(self.0 as u16).name()),
            0x03 if self.0 & 0xFF == 10 => Some("advisory"),
            0x03 => LOCK_TYPES.get((self.0 & 0xFF) as usize).copied(),
            _ => EVENTS.iter().find(|e| e.0 == self.0).map(|e| e.1),
        }
    }
}
