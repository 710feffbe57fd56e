module backroom.local/sdk

go 1.27
