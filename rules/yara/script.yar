// Scripts as attachments: what Windows runs when somebody opens it.

rule script_powershell_encoded : powershell
{
    meta:
        id = "93998210-421d-502e-b39d-47e6ead3282e"
        title = "A script gives PowerShell an encoded command"
        level = "high"
        description = "PowerShell is called with -EncodedCommand, or a shortening of it, and base64 behind it"
        attack = "T1059.001, T1027.010"
        falsepositives = "Installers; management tools that call PowerShell so"
        facts = "attack_attempted=1"
    strings:
        $call = /(powershell|pwsh)(\.exe)?["']?\s[^\r\n]{0,160}[-\/]e(c|nc|nco|ncodedc|ncodedcommand)?\s{1,8}["']?[A-Za-z0-9+\/=]{40}/ ascii wide nocase
    condition:
        filesize < 16MB and $call
}

rule script_powershell_cradle : powershell
{
    meta:
        id = "578d866a-8cd7-534f-8f96-ceccee91ca98"
        title = "A script fetches PowerShell and runs it"
        level = "high"
        description = "Text is loaded from the network and evaluated at once, so that nothing reaches the disk"
        attack = "T1059.001, T1105"
        falsepositives = "Installation one-liners of package managers"
        facts = "attack_attempted=1"
    strings:
        $run_a = /\b(iex|Invoke-Expression)\b/ ascii wide nocase
        $load_a = "DownloadString(" ascii wide nocase
        $load_b = "DownloadData(" ascii wide nocase
        $load_c = /\b(iwr|Invoke-WebRequest|Invoke-RestMethod|irm)\s{1,4}[^\r\n|;]{0,20}https?:/ ascii wide nocase
    condition:
        filesize < 4MB and $run_a and any of ($load_*)
}

rule script_host_dropper : wsh
{
    meta:
        id = "90625446-7d2d-5939-8084-94a23c43404c"
        title = "A script fetches a file, stores it and starts it"
        level = "high"
        description = "JScript or VBScript makes the objects that load, write and run: XMLHTTP, Stream and Shell"
        attack = "T1059.005, T1059.007, T1105"
        falsepositives = "Old logon scripts"
        facts = "malware=1"
    strings:
        $make_a = "CreateObject" ascii wide nocase
        $make_b = "ActiveXObject" ascii wide nocase
        $load_a = "XMLHTTP" ascii wide nocase
        $load_b = "WinHttpRequest" ascii wide nocase
        $store_a = "ADODB.Stream" ascii wide nocase
        $store_b = "SaveToFile" ascii wide nocase
        $run_a = "WScript.Shell" ascii wide nocase
        $run_b = "Shell.Application" ascii wide nocase
        $run_c = "ShellExecute" ascii wide nocase
        $ole = { D0 CF 11 E0 A1 B1 1A E1 }
    condition:
        filesize < 8MB and not $ole at 0 and any of ($make_*) and any of ($load_*) and
        any of ($store_*) and any of ($run_*)
}

rule script_html_application : hta
{
    meta:
        id = "74ad6344-7943-5eff-b51c-1840871b29d1"
        title = "An HTML application starts a program"
        level = "high"
        description = "A page with the rights of a program makes a shell object"
        attack = "T1218.005, T1059"
        falsepositives = "In-house HTML applications"
        facts = "attack_attempted=1"
    strings:
        $application = "<HTA:APPLICATION" nocase
        $run_a = "WScript.Shell" nocase
        $run_b = "Shell.Application" nocase
        $run_c = "winmgmts:" nocase
        $run_d = "powershell" nocase
    condition:
        filesize < 8MB and ($application or extension == ".hta") and any of ($run_*)
}

rule script_system_tool_download : batch
{
    meta:
        id = "fda8a4b2-7930-5eae-b40d-eea5ee8038e2"
        title = "A script has a tool of Windows fetch or decode a program"
        level = "high"
        description = "certutil, bitsadmin, curl or mshta load or decode a file in a script"
        attack = "T1105, T1140, T1218"
        falsepositives = "Scripts of administrators"
        facts = "attack_attempted=1"
    strings:
        $a = /certutil(\.exe)?["']?\s[^\r\n]{0,120}[-\/](urlcache|verifyctl|decode|decodehex)\b/ ascii wide nocase
        $b = /bitsadmin(\.exe)?["']?\s[^\r\n]{0,40}\/transfer\b[^\r\n]{0,120}https?:/ ascii wide nocase
        $c = /\bmshta(\.exe)?["']?\s{1,4}["']?(https?:|javascript:|vbscript:)/ ascii wide nocase
        $d = /regsvr32(\.exe)?["']?\s[^\r\n]{0,60}\/i:https?:/ ascii wide nocase
        $e = /curl(\.exe)?\s[^\r\n]{0,120}https?:[^\r\n]{1,200}(&&?|\|)\s{0,4}(start|cmd|wscript|rundll32|powershell)\b/ ascii wide nocase
    condition:
        filesize < 4MB and any of them
}
