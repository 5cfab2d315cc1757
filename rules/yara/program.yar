import "pe"

// Windows programs that do not look like ones.

rule program_disguised : pe
{
    meta:
        id = "3b8391a0-b6e4-5be0-9176-1fa7b0a2e1cb"
        title = "A Windows program is named as a document or a picture"
        level = "high"
        description = "The file is a PE file and its extension is that of something that is only looked at"
        attack = "T1036.008"
        falsepositives = "None known"
        facts = "malware=1"
    condition:
        pe.is_pe and
        (extension == ".pdf" or extension == ".doc" or extension == ".docx" or extension == ".xls" or
         extension == ".xlsx" or extension == ".jpg" or extension == ".jpeg" or extension == ".png" or
         extension == ".gif" or extension == ".txt" or extension == ".html" or extension == ".rtf" or
         extension == ".eml" or extension == ".log")
}

rule program_double_extension : pe
{
    meta:
        id = "f7d8d074-87f8-5208-aabf-20bc509e17cc"
        title = "A Windows program has two extensions"
        level = "high"
        description = "The file is a PE file whose name looks like a document's before its last extension"
        attack = "T1036.007"
        falsepositives = "None known"
        facts = "malware=1"
    condition:
        pe.is_pe and
        filename matches /\.(pdf|docx?|xlsx?|pptx?|rtf|txt|jpe?g|png|gif|html?)[ _]{0,80}\.(exe|scr|com|pif)$/i
}
