// PDF that does more than show pages.

private rule pdf_document
{
    strings:
        $pdf = "%PDF-"
    condition:
        $pdf in (0..1024)
}

rule pdf_launch : pdf
{
    meta:
        id = "4ea77625-b45b-54ff-b2a9-e84e7cd76c75"
        title = "A PDF starts a program"
        level = "high"
        description = "A Launch action names an interpreter of Windows"
        attack = "T1204.002, T1059"
        falsepositives = "None known"
        facts = "attack_attempted=1"
    strings:
        $launch = /\/S\s{0,4}\/Launch\b/
        $what = /\/(F|Win)\s{0,4}(<<[^>]{0,80})?\([^)]{0,120}(cmd|powershell|mshta|wscript|cscript|rundll32)/ nocase
    condition:
        pdf_document and $launch and $what
}

rule pdf_drops_file : pdf
{
    meta:
        id = "3cc59575-768c-5495-865f-54b3100a2c2d"
        title = "A PDF opens a file that it holds"
        level = "high"
        description = "A script of the document exports an embedded file and starts it"
        attack = "T1204.002, T1059.007, T1027.009"
        falsepositives = "Forms that attach their data; they do not start it"
        facts = "attack_attempted=1"
    strings:
        $embedded = "/EmbeddedFile"
        $export = /exportDataObject\s{0,4}\([^)]{0,200}nLaunch\s{0,4}:\s{0,4}[12]/
    condition:
        pdf_document and $embedded and $export
}

rule pdf_script_at_open : pdf
{
    meta:
        id = "fd75323c-836e-561d-aaae-cf3d7b56172a"
        title = "A PDF runs a script when it is opened"
        level = "medium"
        description = "An open action leads to a script that opens a page, sends a form or decodes itself"
        attack = "T1059.007, T1204.002"
        falsepositives = "Interactive forms"
        facts = "attack_attempted=1"
    strings:
        $open_a = "/OpenAction"
        $open_b = /\/AA\s{0,4}<</
        $script = /\/S\s{0,4}\/JavaScript\b/
        $act_a = "app.launchURL"
        $act_b = "submitForm"
        $act_c = "unescape("
        $act_d = "eval("
        $act_e = "getURL("
        $act_f = "fromCharCode"
    condition:
        pdf_document and any of ($open_*) and $script and any of ($act_*)
}
