// OneNote sections with files in them, which run when the picture over them is clicked.

private rule onenote_section
{
    condition:
        uint32be(0) == 0xE4525C7B and uint32be(4) == 0x8CD8A74D and
        uint32be(8) == 0xAEB15378 and uint32be(12) == 0xD02996D3
}

rule onenote_embedded_script : onenote
{
    meta:
        id = "1ae22fa1-e26c-5674-bb9b-e3f5063848c5"
        title = "A OneNote section holds a script"
        level = "high"
        description = "A file inside a section is a script, an HTML application or a batch file"
        attack = "T1204.002, T1059"
        falsepositives = "Notes of developers who attach scripts"
        facts = "attack_attempted=1"
    strings:
        $file = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC }
        $a = "WScript.Shell" ascii wide nocase
        $b = "CreateObject(" ascii wide nocase
        $c = "ActiveXObject(" ascii wide nocase
        $d = "<HTA:APPLICATION" ascii wide nocase
        $e = "powershell" ascii wide nocase
        $f = "@echo off" ascii wide nocase
        $g = "language=\"vbscript\"" ascii wide nocase
    condition:
        onenote_section and $file and any of ($a, $b, $c, $d, $e, $f, $g)
}

rule onenote_embedded_program : onenote
{
    meta:
        id = "5dd98c49-916a-56a4-8d74-6ff3f5f2af5a"
        title = "A OneNote section holds a program or a shortcut"
        level = "high"
        description = "A file inside a section begins as a PE file or as a Windows shortcut"
        attack = "T1204.002"
        falsepositives = "Notes of developers who attach programs"
        facts = "attack_attempted=1"
    strings:
        $pe = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20] 4D 5A }
        $shortcut = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20] 4C 00 00 00 01 14 02 00 }
    condition:
        onenote_section and any of them
}
