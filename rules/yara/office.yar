// Office documents that run something. Members of OOXML containers are compressed, so what stands in
// them is seen where they are stored or were unpacked before; their names are always seen.

private rule office_ole
{
    condition:
        uint32be(0) == 0xD0CF11E0 and uint32be(4) == 0xA1B11AE1
}

private rule office_runs_by_itself
{
    strings:
        $a = "AutoOpen" ascii wide nocase fullword
        $b = "Auto_Open" ascii wide nocase fullword
        $c = "AutoExec" ascii wide nocase fullword
        $d = "AutoClose" ascii wide nocase fullword
        $e = "Document_Open" ascii wide nocase fullword
        $f = "Document_Close" ascii wide nocase fullword
        $g = "Workbook_Open" ascii wide nocase fullword
        $h = "Workbook_BeforeClose" ascii wide nocase fullword
    condition:
        any of them
}

rule office_macro_download : office macro
{
    meta:
        id = "a9072964-442f-5870-931a-5603beb07a05"
        title = "An Office macro runs by itself and fetches something"
        level = "high"
        description = "A macro that starts with the document names a way to load a file from the network"
        attack = "T1204.002, T1059.005, T1105"
        falsepositives = "In-house documents that update themselves from a server"
        facts = "malware=1"
    strings:
        $vba_a = "_VBA_PROJECT" ascii wide
        $vba_b = "VBE7.DLL" ascii wide nocase
        $vba_c = "VBE6.DLL" ascii wide nocase
        $vba_d = "Attribut\x00e VB_Nam"
        $vba_e = "Attribute VB_Name"
        $net_a = "URLDownloadToFile" ascii wide nocase
        $net_b = "MSXML2.XMLHTTP" ascii wide nocase
        $net_c = "MSXML2.ServerXMLHTTP" ascii wide nocase
        $net_d = "WinHttp.WinHttpRequest" ascii wide nocase
        $net_e = "Net.WebClient" ascii wide nocase
        $net_f = "InternetExplorer.Application" ascii wide nocase
        $net_g = "URLOpenBlockingStream" ascii wide nocase
    condition:
        office_ole and office_runs_by_itself and any of ($vba_*) and any of ($net_*)
}

rule office_macro_execution : office macro
{
    meta:
        id = "057ab738-43fa-5026-81f1-477b86d8bd25"
        title = "An Office macro runs by itself and starts a program"
        level = "high"
        description = "A macro that starts with the document names a shell, an interpreter or another way to start a process"
        attack = "T1204.002, T1059.005, T1106"
        falsepositives = "In-house automation; sign it and keep it out of mail"
        facts = "malware=1"
    strings:
        $vba_a = "_VBA_PROJECT" ascii wide
        $vba_b = "VBE7.DLL" ascii wide nocase
        $vba_c = "VBE6.DLL" ascii wide nocase
        $vba_d = "Attribut\x00e VB_Nam"
        $vba_e = "Attribute VB_Name"
        $run_a = "WScript.Shell" ascii wide nocase
        $run_b = "Shell.Application" ascii wide nocase
        $run_c = "powershell" ascii wide nocase
        $run_d = "cmd.exe" ascii wide nocase
        $run_e = "cmd /c" ascii wide nocase
        $run_f = "Win32_Process" ascii wide nocase
        $run_g = "mshta" ascii wide nocase fullword
        $run_h = "rundll32" ascii wide nocase
        $run_i = "CreateProcess" ascii wide nocase
        $run_j = "VirtualAlloc" ascii wide nocase
    condition:
        office_ole and office_runs_by_itself and any of ($vba_*) and any of ($run_*)
}

private rule office_macro_container
{
    strings:
        $types = "[Content_Types].xml"
        $macro = "/vbaProject.bin"
    condition:
        uint32be(0) == 0x504B0304 and all of them
}

rule office_macro_document : office macro
{
    meta:
        id = "bdaf76ed-7f0d-5d77-bf15-7900c02237bf"
        title = "An Office document holds macros"
        level = "medium"
        description = "An OOXML container has a member vbaProject.bin; what the macros do is not seen here"
        attack = "T1204.002"
        falsepositives = "Documents of people who work with macros"
        facts = "attack_attempted=1"
    condition:
        office_macro_container and
        not (extension == ".docx" or extension == ".xlsx" or extension == ".pptx")
}

rule office_macro_disguised : office macro
{
    meta:
        id = "2baff0d4-926c-59ec-8bb8-c7d0bc1ada35"
        title = "An Office document hides that it holds macros"
        level = "high"
        description = "A file named as a document without macros (.docx, .xlsx, .pptx) has a member vbaProject.bin"
        attack = "T1036.008, T1204.002"
        falsepositives = "Documents renamed by hand"
        facts = "attack_attempted=1"
    condition:
        office_macro_container and
        (extension == ".docx" or extension == ".xlsx" or extension == ".pptx")
}

rule office_remote_template : office
{
    meta:
        id = "7ce1b54c-5759-51ac-9f0b-72b988a5f5f2"
        title = "An Office document loads its template from elsewhere"
        level = "high"
        description = "A relation of the document names a template on another host, from which macros come when it is opened"
        attack = "T1221"
        falsepositives = "Templates on a company's own web server"
        facts = "attack_attempted=1"
    strings:
        $relations = "schemas.openxmlformats.org/package/2006/relationships"
        $template = /relationships\/(attachedTemplate|frame|oleObject)"[^<>]{0,80}Target="(https?|ftp|file|mhtml):[^"<>]{1,400}"[^<>]{0,80}TargetMode="External"/ nocase
    condition:
        $relations and $template
}

rule office_dde_command : office
{
    meta:
        id = "097bab5b-5df6-580f-8c2e-f6985b3e9895"
        title = "A field of an Office document starts a program"
        level = "high"
        description = "A DDE or DDEAUTO field names an interpreter"
        attack = "T1559.002"
        falsepositives = "None known; spreadsheets link to each other by other names"
        facts = "attack_attempted=1"
    strings:
        $field = /\bDDE(AUTO)?\s{1,8}["\\]{0,8}(c:|cmd|powershell|mshta|msword)[^\r\n]{0,200}(cmd|powershell|mshta|wscript|cscript|rundll32|regsvr32)/ nocase
        $sheet = /[=+@\-](cmd|powershell|mshta|rundll32|regsvr32|MSEXCEL)\|'[^'\r\n]{0,300}'![A-Z0-9]{1,8}/ nocase
    condition:
        any of them
}

rule office_flat_macro : office macro
{
    meta:
        id = "fe447330-a54e-5063-9226-c3a6687ad303"
        title = "An Office document as plain XML or web archive holds macros"
        level = "high"
        description = "A single-file document carries an ActiveMime object, in which macros are, where scanners of containers do not look"
        attack = "T1027.006, T1204.002"
        falsepositives = "Documents saved by Word as web archive"
        facts = "attack_attempted=1"
    strings:
        $xml = "progid=\"Word.Document\"" nocase
        $mime = "MIME-Version:" nocase
        $present = "macrosPresent=\"yes\"" nocase
        $object = "editdata.mso" nocase
        $active = "QWN0aXZlTWlt"
    condition:
        ($xml and ($present or $object or $active)) or ($mime and $object and $active)
}
