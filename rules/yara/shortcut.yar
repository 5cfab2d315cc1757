// Shortcuts, and disk images that carry them past the mark of the web.

private rule shortcut_file
{
    condition:
        uint32be(0) == 0x4C000000 and uint32be(4) == 0x01140200 and
        uint32be(12) == 0xC0000000 and uint32be(16) == 0x00000046
}

private rule shortcut_disk_image
{
    condition:
        // ISO 9660 and UDF name themselves in sector 16, a FAT image in its boot sector.
        uint32be(0x8001) == 0x43443030 or uint32be(0x8001) == 0x42454130 or
        (uint16be(510) == 0x55AA and
         (uint32be(54) == 0x46415431 or uint32be(82) == 0x46415433))
}

rule shortcut_interpreter : lnk
{
    meta:
        id = "4471d700-1012-5550-bb12-3e75b6881770"
        title = "A shortcut starts an interpreter that fetches or decodes something"
        level = "high"
        description = "A Windows shortcut names a script host together with a download, an encoded command or a hidden window"
        attack = "T1204.002, T1547.009, T1059"
        falsepositives = "Shortcuts of administrators; they do not come by mail"
        facts = "malware=1"
    strings:
        $host_a = "powershell" ascii wide nocase
        $host_b = "mshta" ascii wide nocase fullword
        $host_c = "cmd.exe" ascii wide nocase
        $host_d = "wscript" ascii wide nocase fullword
        $host_e = "rundll32" ascii wide nocase
        $host_f = "regsvr32" ascii wide nocase
        $host_g = "certutil" ascii wide nocase fullword
        $host_h = "conhost" ascii wide nocase fullword
        $act_a = "http://" ascii wide nocase
        $act_b = "https://" ascii wide nocase
        $act_c = "DownloadString" ascii wide nocase
        $act_d = "DownloadFile" ascii wide nocase
        $act_e = "FromBase64String" ascii wide nocase
        $act_f = "-EncodedCommand" ascii wide nocase
        $act_g = "Invoke-WebRequest" ascii wide nocase
        $act_h = /-w(indowstyle)?\s{1,4}h(idden)?\b/ ascii wide nocase
        $act_i = "findstr" ascii wide nocase fullword
    condition:
        shortcut_file and filesize < 8MB and any of ($host_*) and any of ($act_*)
}

rule shortcut_in_disk_image : lnk image
{
    meta:
        id = "b8994588-091a-5142-8cb1-5a376836ebad"
        title = "A disk image holds a shortcut"
        level = "high"
        description = "An ISO or IMG file carries a Windows shortcut, which opens without the warning that a downloaded file has"
        attack = "T1553.005, T1204.002"
        falsepositives = "Backups of desktops"
        facts = "attack_attempted=1"
    strings:
        $header = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $name = ".LNK;1"
        $name_wide = { 00 2E 00 6C 00 6E 00 6B }
    condition:
        shortcut_disk_image and ($header or $name or $name_wide)
}

rule shortcut_script_in_disk_image : image script
{
    meta:
        id = "ac70156c-95a8-5ebf-b0eb-8b300454b3c3"
        title = "A disk image holds a script"
        level = "medium"
        description = "An ISO file names a member that Windows runs when it is opened: .js, .vbs, .wsf, .hta, .bat, .cmd or .ps1"
        attack = "T1553.005, T1059"
        falsepositives = "Installation media, which also hold an autorun.inf"
        facts = "attack_attempted=1"
    strings:
        $name = /[A-Z0-9_]{1,31}\.(JS|JSE|VBS|VBE|WSF|HTA|BAT|CMD|PS1);1/
        $name_wide = /\x00\.\x00(j\x00s|j\x00s\x00e|v\x00b\x00s|w\x00s\x00f|h\x00t\x00a|b\x00a\x00t|c\x00m\x00d|p\x00s\x001)(\x00;|[^\x00]|\x00[^a-z0-9\x00])/ nocase
        $media = "AUTORUN.INF" nocase
    condition:
        uint32be(0x8001) == 0x43443030 and ($name or $name_wide) and not $media
}
