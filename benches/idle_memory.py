"""Opens N sessions on a Unix socket, runs `select 1` in each, prints the median private memory (kB) of their backends.
usage: idle_memory.py SOCKET N POSTMASTER_PID"""
import socket, struct, subprocess, sys
path,n,pm=sys.argv[1],int(sys.argv[2]),sys.argv[3]
def conn():
    s=socket.socket(socket.AF_UNIX); s.connect(path)
    b=struct.pack('!I',196608)+b'user\0postgres\0database\0postgres\0\0'
    s.sendall(struct.pack('!I',len(b)+4)+b); q=b'select 1\0'; s.sendall(b'Q'+struct.pack('!I',len(q)+4)+q)
    buf=b''
    while buf.count(b'Z\0\0\0\5I')<2: buf+=s.recv(65536)
    return s
c=[conn() for _ in range(n)]
out=[]
for p in subprocess.run(['pgrep','-P',pm],capture_output=True,text=True).stdout.split():
    if b'postgres postgres' in open(f'/proc/{p}/cmdline','rb').read():
        out.append(sum(int(l.split()[1]) for l in open(f'/proc/{p}/smaps_rollup') if l.startswith('Private')))
out.sort(); print(out[len(out)//2])
